import source from "../../../shaders/groupNormBackwardMeansShared.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Constant `SILU`. Grid: one workgroup per image and group. */
export const groupNormBackwardMeansShared = defineKernel({
  name: "groupNormBackwardMeansShared",
  source,
  bindings: [read("x"), read("g"), read("stats"), read("gamma"), read("beta"), write("means")],
  parameters: { groups: "u32", groupWidth: "u32", channels: "u32", rows: "u32", statStride: "u32" },
  workgroup: [64, 1, 1],
  sharedBytes: () => 576,
});
