import source from "../../../shaders/groupNormMergeShared.wgsl?raw";
import { defineKernel } from "./kernel";
import { groupNormMergeInterface } from "./groupNormMerge";

/** Grid: one workgroup per image and group. */
export const groupNormMergeShared = defineKernel({
  name: "groupNormMergeShared",
  source,
  ...groupNormMergeInterface,
  workgroup: [64, 1, 1],
  sharedBytes: () => 576,
});
