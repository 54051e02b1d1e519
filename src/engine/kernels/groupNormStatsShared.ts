import source from "../../../shaders/groupNormStatsShared.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Grid: one workgroup per image and group. */
export const groupNormStatsShared = defineKernel({
  name: "groupNormStatsShared",
  source,
  bindings: [read("x"), write("stats")],
  parameters: {
    groups: "u32",
    groupWidth: "u32",
    channels: "u32",
    rows: "u32",
    statStride: "u32",
    eps: "f32",
  },
  workgroup: [64, 1, 1],
  sharedBytes: () => 576,
});
