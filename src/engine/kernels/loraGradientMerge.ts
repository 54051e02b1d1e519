import source from "../../../shaders/loraGradientMerge.wgsl?raw";
import { STEP_SCALARS } from "../stepScalars";
import { defineKernel, read, update } from "./kernel";

export const loraGradientMerge = defineKernel({
  name: "loraGradientMerge",
  source: `const ACCUMULATE = ${STEP_SCALARS.accumulate}u;\n${source}`,
  bindings: [read("partial"), read("scalars"), update("downGradient"), update("upGradient")],
  parameters: { downQuads: "u32", upQuads: "u32", slices: "u32" },
  workgroup: [64, 1, 1],
});
