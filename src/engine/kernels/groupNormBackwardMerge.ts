import source from "../../../shaders/groupNormBackwardMerge.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Shared with groupNormBackwardMergeShared. */
export const groupNormBackwardMergeInterface = {
  bindings: [read("partial"), write("means")],
  parameters: {
    count: "u32",
    groups: "u32",
    groupWidth: "u32",
    channels: "u32",
    rows: "u32",
    chunks: "u32",
    statStride: "u32",
  },
} as const;

export const groupNormBackwardMerge = defineKernel({
  name: "groupNormBackwardMerge",
  source,
  ...groupNormBackwardMergeInterface,
  workgroup: [16, 1, 1],
});
