import source from "../../../shaders/activation.wgsl?raw";
import { defineKernel, read, write } from "./kernel";

/** Constants: one of `SILU`, `GELU`, `QUICK_GELU` is true. */
export const activation = defineKernel({
  name: "activation",
  source,
  bindings: [read("x"), write("y")],
  parameters: { count: "u32" },
  workgroup: [64, 1, 1],
});
