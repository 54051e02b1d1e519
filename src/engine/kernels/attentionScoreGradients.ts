import source from "../../../shaders/attentionScoreGradients.wgsl?raw";
import { defineKernel, read, update } from "./kernel";
import { unroll } from "./unroll";

export const attentionScoreGradients = defineKernel({
  name: "attentionScoreGradients",
  source: unroll(source),
  bindings: [read("grad"), read("v"), read("delta"), update("s")],
  parameters: {
    firstGroup: "u32",
    heads: "u32",
    d4: "u32",
    tq: "u32",
    tk: "u32",
    tqPad: "u32",
    keyQuads: "u32",
    firstRow: "u32",
    rows: "u32",
    gradStride: "u32",
    vStride: "u32",
    vOffset: "u32",
    scale: "f32",
  },
  workgroup: [8, 8, 1],
});
