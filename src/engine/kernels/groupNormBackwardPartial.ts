import source from "../../../shaders/groupNormBackwardPartial.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Constants: `SILU`. */
export const groupNormBackwardPartial = defineKernel({
  name: "groupNormBackwardPartial",
  source,
  bindings: [read("x"), read("g"), read("stats"), read("gamma"), read("beta"), write("partial")],
  parameters: {
    count: "u32",
    width: "u32",
    rows: "u32",
    chunks: "u32",
    chunkRows: "u32",
    groupWidth: "u32",
    statStride: "u32",
  },
  workgroup: [64, 1, 1],
});
