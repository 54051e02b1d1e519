import source from "../../../shaders/layerNorm.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const layerNorm = defineKernel({
  name: "layerNorm",
  source,
  bindings: [read("x"), read("gamma"), read("beta"), write("y")],
  parameters: { count: "u32", width: "u32", eps: "f32" },
  workgroup: [16, 1, 1],
});
