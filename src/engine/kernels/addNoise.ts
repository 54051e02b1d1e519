import source from "../../../shaders/addNoise.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

export const addNoise = defineKernel({
  name: "addNoise",
  source,
  bindings: [read("x0"), read("noise"), read("coefficients"), write("y")],
  parameters: { count: "u32", perImage: "u32" },
  workgroup: [64, 1, 1],
});
