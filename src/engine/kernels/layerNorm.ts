import source from "../../../shaders/layerNorm.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Shared with layerNormShared. */
export const layerNormInterface = {
  bindings: [read("x"), read("gamma"), read("beta"), write("y")],
  parameters: { count: "u32", width: "u32", eps: "f32" },
} as const;

export const layerNorm = defineKernel({
  name: "layerNorm",
  source,
  ...layerNormInterface,
  workgroup: [16, 1, 1],
});
