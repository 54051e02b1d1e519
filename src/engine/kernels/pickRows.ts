import source from "../../../shaders/pickRows.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const pickRows = defineKernel({
  name: "pickRows",
  source,
  bindings: [read("x"), read("at"), write("y")],
  parameters: { count: "u32", width: "u32", tokens: "u32" },
  workgroup: [64, 1, 1],
});
