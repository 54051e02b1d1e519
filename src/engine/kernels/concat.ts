import source from "../../../shaders/concat.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const concat = defineKernel({
  name: "concat",
  source,
  bindings: [read("a"), read("b"), write("y")],
  parameters: { count: "u32", widthA: "u32", widthB: "u32" },
  workgroup: [64, 1, 1],
});
