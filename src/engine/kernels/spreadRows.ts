import source from "../../../shaders/spreadRows.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

export const spreadRows = defineKernel({
  name: "spreadRows",
  source,
  bindings: [read("g"), read("at"), optional("soFar"), write("dx")],
  parameters: { count: "u32", width: "u32", tokens: "u32" },
  workgroup: [64, 1, 1],
});
