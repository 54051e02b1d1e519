import source from "../../../shaders/loraHiddenGradient.wgsl?raw";
import { defineKernel, read, write } from "./kernel";
import { unroll } from "./unroll";

/** Rows per thread. */
const TM = 4;

/** Grid: x covers quads of dh, y rows. */
export const loraHiddenGradient = defineKernel({
  name: "loraHiddenGradient",
  source: `const TM = ${TM}u;\n${unroll(source, { TM })}`,
  bindings: [read("g"), read("up"), write("dh")],
  parameters: { M: "u32", partN4: "u32", r4: "u32", parts: "u32", loraScale: "f32" },
  workgroup: [4, 16, 1],
});

/** Workgroups for `rows` × `hidden` outputs. */
export function loraHiddenGrid(rows: number, hidden: number): readonly [number, number, number] {
  return [Math.ceil(hidden / 16), Math.ceil(rows / TM / 16), 1];
}
