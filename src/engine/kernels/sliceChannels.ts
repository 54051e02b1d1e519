import source from "../../../shaders/sliceChannels.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

export const sliceChannels = defineKernel({
  name: "sliceChannels",
  source,
  bindings: [read("x"), optional("soFar"), write("y")],
  parameters: { count: "u32", width: "u32", stride: "u32", offset: "u32" },
  workgroup: [64, 1, 1],
});
