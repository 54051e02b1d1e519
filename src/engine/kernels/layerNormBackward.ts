import source from "../../../shaders/layerNormBackward.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

/** Shared with layerNormBackwardShared. */
export const layerNormBackwardInterface = {
  bindings: [read("x"), read("g"), read("gamma"), optional("soFar"), write("dx")],
  parameters: { count: "u32", width: "u32", eps: "f32" },
} as const;

export const layerNormBackward = defineKernel({
  name: "layerNormBackward",
  source,
  ...layerNormBackwardInterface,
  workgroup: [16, 1, 1],
});
