import source from "../../../shaders/geglu.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const geglu = defineKernel({
  name: "geglu",
  source,
  bindings: [read("x"), write("y")],
  parameters: { count: "u32", width: "u32" },
  workgroup: [64, 1, 1],
});
