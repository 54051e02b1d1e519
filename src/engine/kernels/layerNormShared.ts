import source from "../../../shaders/layerNormShared.wgsl?raw";
import { defineKernel } from "./kernel";
import { layerNormInterface } from "./layerNorm";

/** Grid: one workgroup per row. */
export const layerNormShared = defineKernel({
  name: "layerNormShared",
  source,
  ...layerNormInterface,
  workgroup: [64, 1, 1],
  sharedBytes: () => 576,
});
