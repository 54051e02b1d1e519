import source from "../../../shaders/layerNormBackwardShared.wgsl?raw";
import { defineKernel } from "./kernel";
import { layerNormBackwardInterface } from "./layerNormBackward";

/** Grid: one workgroup per row. */
export const layerNormBackwardShared = defineKernel({
  name: "layerNormBackwardShared",
  source,
  ...layerNormBackwardInterface,
  workgroup: [64, 1, 1],
  sharedBytes: () => 576,
});
