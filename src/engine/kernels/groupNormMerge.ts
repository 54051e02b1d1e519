import source from "../../../shaders/groupNormMerge.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Shared with groupNormMergeShared. */
export const groupNormMergeInterface = {
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
} as const;

export const groupNormMerge = defineKernel({
  name: "groupNormMerge",
  source,
  ...groupNormMergeInterface,
  workgroup: [16, 1, 1],
});
