import source from "../../../shaders/attentionDelta.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const attentionDelta = defineKernel({
  name: "attentionDelta",
  source,
  bindings: [read("o"), read("grad"), write("delta")],
  parameters: { count: "u32", heads: "u32", d4: "u32", tq: "u32", tqPad: "u32" },
  workgroup: [64, 1, 1],
});
