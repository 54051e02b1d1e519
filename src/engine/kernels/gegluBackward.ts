import source from "../../../shaders/gegluBackward.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

export const gegluBackward = defineKernel({
  name: "gegluBackward",
  source,
  bindings: [read("x"), read("g"), optional("soFar"), write("dx")],
  parameters: { count: "u32", width: "u32" },
  workgroup: [64, 1, 1],
});
