import source from "../../../shaders/groupNormApply.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Constants: `SILU`. */
export const groupNormApply = defineKernel({
  name: "groupNormApply",
  source,
  bindings: [read("x"), read("stats"), read("gamma"), read("beta"), write("y")],
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
