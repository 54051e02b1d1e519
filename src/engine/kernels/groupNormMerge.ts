import source from "../../../shaders/groupNormMerge.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const groupNormMerge = defineKernel({
  name: "groupNormMerge",
  source,
  bindings: [read("partial"), write("stats")],
  parameters: {
    count: "u32",
    groups: "u32",
    groupWidth: "u32",
    channels: "u32",
    rows: "u32",
    chunks: "u32",
    chunkRows: "u32",
    statStride: "u32",
    eps: "f32",
  },
  workgroup: [16, 1, 1],
});
