import source from "../../../shaders/imageSumMerge.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

export const imageSumMerge = defineKernel({
  name: "imageSumMerge",
  source,
  bindings: [read("partial"), optional("soFar"), write("y")],
  parameters: { count: "u32", total: "u32", width: "u32", chunks: "u32", offset: "u32" },
  workgroup: [64, 1, 1],
});
