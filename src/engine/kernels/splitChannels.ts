import source from "../../../shaders/splitChannels.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

export const splitChannels = defineKernel({
  name: "splitChannels",
  source,
  bindings: [read("x"), optional("soFar"), write("a"), write("b")],
  parameters: { count: "u32", widthA: "u32", widthB: "u32" },
  workgroup: [64, 1, 1],
});
