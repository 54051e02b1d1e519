import source from "../../../shaders/embedding.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const embedding = defineKernel({
  name: "embedding",
  source,
  bindings: [read("ids"), read("table"), read("position"), write("y")],
  parameters: { count: "u32", width: "u32", rows: "u32", tokens: "u32" },
  workgroup: [64, 1, 1],
});
