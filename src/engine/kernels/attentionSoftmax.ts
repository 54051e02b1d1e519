import source from "../../../shaders/attentionSoftmax.wgsl?raw";
import { defineKernel, update, write } from "./kernel";

/** Constants: `CAUSAL`. */
export const attentionSoftmax = defineKernel({
  name: "attentionSoftmax",
  source,
  bindings: [update("s"), write("inverse"), write("lse")],
  parameters: {
    count: "u32",
    firstGroup: "u32",
    tk: "u32",
    tqPad: "u32",
    keyQuads: "u32",
    firstRow: "u32",
    rows: "u32",
  },
  workgroup: [64, 1, 1],
});
