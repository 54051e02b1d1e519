import source from "../../../shaders/attentionScores.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { unroll } from "./unroll";

/** Constants: `CAUSAL`. */
export const attentionScores = defineKernel({
  name: "attentionScores",
  source: unroll(source),
  bindings: [read("q"), optional("kv"), optional("lse"), write("s")],
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
    qStride: "u32",
    kvStride: "u32",
    kOffset: "u32",
    scale: "f32",
  },
  workgroup: [8, 8, 1],
});
