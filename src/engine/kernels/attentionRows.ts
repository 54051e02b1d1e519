import source from "../../../shaders/attentionRows.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { unroll } from "./unroll";

export const attentionRows = defineKernel({
  name: "attentionRows",
  source: unroll(source),
  bindings: [read("s"), read("x"), optional("inverse"), optional("add"), write("out")],
  parameters: {
    firstGroup: "u32",
    heads: "u32",
    d4: "u32",
    tq: "u32",
    tk: "u32",
    keyQuads: "u32",
    firstRow: "u32",
    rows: "u32",
    xStride: "u32",
    xOffset: "u32",
    outStride: "u32",
  },
  workgroup: [64, 1, 1],
});
