import source from "../../../shaders/attentionSliceSum.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

export const attentionSliceSum = defineKernel({
  name: "attentionSliceSum",
  source,
  bindings: [read("part"), optional("add"), write("out")],
  parameters: { count: "u32", slices: "u32", width: "u32", outStride: "u32", outOffset: "u32" },
  workgroup: [64, 1, 1],
});
