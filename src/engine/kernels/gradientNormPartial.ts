import source from "../../../shaders/gradientNormPartial.wgsl?raw";
import { defineKernel, read, update } from "./kernel";

export const gradientNormPartial = defineKernel({
  name: "gradientNormPartial",
  source,
  bindings: [read("gradient"), update("partial")],
  parameters: { threads: "u32", count: "u32", first: "u32" },
  workgroup: [64, 1, 1],
});
