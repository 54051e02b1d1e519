import source from "../../../shaders/linear.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { laneKernels, laneWorkgroup } from "./laneTile";

/** Shared with linearTiled. */
export const linearInterface = {
  bindings: [
    read("x"),
    read("w"),
    optional("bias"),
    optional("h"),
    optional("up"),
    optional("residual"),
    optional("rowVector"),
    write("y"),
  ],
  parameters: {
    M: "u32",
    n4: "u32",
    k4: "u32",
    partN4: "u32",
    r4: "u32",
    hStride: "u32",
    rowsPerImage: "u32",
    rowStride: "u32",
    loraScale: "f32",
    tileRows: "u32",
    sliceQuads: "u32",
  },
} as const;

/** Constants: those of the tile. Grid: x covers rows, y quads of columns, part by part. */
export const linear = laneKernels(source, (unrolled) =>
  defineKernel({ name: "linear", source: unrolled, ...linearInterface, workgroup: laneWorkgroup }),
);
