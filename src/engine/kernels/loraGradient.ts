import source from "../../../shaders/loraGradient.wgsl?raw";
import { STEP_SCALARS } from "../stepScalars";
import { defineKernel, read, update } from "./kernel";
import { unroll } from "./unroll";

/** Quads of the wide side per thread. */
const TN = 2;

/** Grid: x covers quads of x, then of one part of g; y covers quads of the rank over all parts. */
export const loraGradient = defineKernel({
  name: "loraGradient",
  source: `const TN = ${TN}u;\nconst ACCUMULATE = ${STEP_SCALARS.accumulate}u;\n${unroll(source, { TN })}`,
  bindings: [
    read("x"),
    read("g"),
    read("h"),
    read("dh"),
    read("scalars"),
    update("downGradient"),
    update("upGradient"),
  ],
  parameters: { M: "u32", k4: "u32", partN4: "u32", r4: "u32", parts: "u32", loraScale: "f32" },
  workgroup: [16, 1, 1],
});

/** Workgroups for matrices [hidden, K] and [parts·partN, hidden / parts]. */
export function loraGradientGrid(K: number, partN: number, hidden: number): readonly [number, number, number] {
  const threads = Math.ceil(K / 4 / TN) + Math.ceil(partN / 4 / TN);
  return [Math.ceil(threads / 16), hidden / 4, 1];
}
