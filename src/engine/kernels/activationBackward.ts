import source from "../../../shaders/activationBackward.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

/** Constants: one of `SILU`, `GELU`, `QUICK_GELU` is true. */
export const activationBackward = defineKernel({
  name: "activationBackward",
  source,
  bindings: [read("x"), read("g"), optional("soFar"), write("dx")],
  parameters: { count: "u32" },
  workgroup: [64, 1, 1],
});
