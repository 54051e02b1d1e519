import source from "../../../shaders/imageSumPartial.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const imageSumPartial = defineKernel({
  name: "imageSumPartial",
  source,
  bindings: [read("x"), write("partial")],
  parameters: { count: "u32", width: "u32", rows: "u32", chunks: "u32", chunkRows: "u32" },
  workgroup: [64, 1, 1],
});
