import source from "../../../shaders/groupNormBackwardMergeShared.wgsl?raw";
import { defineKernel } from "./kernel";
import { groupNormBackwardMergeInterface } from "./groupNormBackwardMerge";

/** Grid: one workgroup per image and group. */
export const groupNormBackwardMergeShared = defineKernel({
  name: "groupNormBackwardMergeShared",
  source,
  ...groupNormBackwardMergeInterface,
  workgroup: [64, 1, 1],
  sharedBytes: () => 576,
});
