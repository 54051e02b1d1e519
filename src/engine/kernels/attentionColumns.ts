import source from "../../../shaders/attentionColumns.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { unroll } from "./unroll";

export const attentionColumns = defineKernel({
  name: "attentionColumns",
  source: unroll(source),
  bindings: [
    read("s"),
    read("x"),
    optional("add"),
    { name: "acc", access: "update", optional: true },
    write("out"),
  ],
  parameters: {
    firstGroup: "u32",
    heads: "u32",
    d4: "u32",
    tq: "u32",
    tk: "u32",
    keyQuads: "u32",
    firstRow: "u32",
    rows: "u32",
    last: "u32",
    xStride: "u32",
    xOffset: "u32",
    outStride: "u32",
    outOffset: "u32",
    accStride: "u32",
    accOffset: "u32",
  },
  workgroup: [64, 1, 1],
});
