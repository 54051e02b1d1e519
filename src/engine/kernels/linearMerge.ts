import source from "../../../shaders/linearMerge.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

/** Grid: flat over quads of y. */
export const linearMerge = defineKernel({
  name: "linearMerge",
  source,
  bindings: [read("partial"), optional("bias"), optional("rowVector"), optional("residual"), write("y")],
  parameters: { M: "u32", n4: "u32", slices: "u32", rowsPerImage: "u32", rowStride: "u32" },
  workgroup: [64, 1, 1],
});
