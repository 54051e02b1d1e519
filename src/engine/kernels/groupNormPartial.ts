import source from "../../../shaders/groupNormPartial.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const groupNormPartial = defineKernel({
  name: "groupNormPartial",
  source,
  bindings: [read("x"), write("partial")],
  parameters: { count: "u32", width: "u32", rows: "u32", chunks: "u32", chunkRows: "u32" },
  workgroup: [64, 1, 1],
});
