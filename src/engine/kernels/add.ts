import source from "../../../shaders/add.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const add = defineKernel({
  name: "add",
  source,
  bindings: [read("a"), read("b"), write("y")],
  parameters: { count: "u32" },
  workgroup: [64, 1, 1],
});
