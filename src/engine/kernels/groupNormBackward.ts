import source from "../../../shaders/groupNormBackward.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";

/** Constants: `SILU`. */
export const groupNormBackward = defineKernel({
  name: "groupNormBackward",
  source,
  bindings: [
    read("x"),
    read("g"),
    read("stats"),
    read("means"),
    read("gamma"),
    read("beta"),
    optional("soFar"),
    write("dx"),
  ],
  parameters: {
    count: "u32",
    width: "u32",
    rows: "u32",
    chunks: "u32",
    chunkRows: "u32",
    groupWidth: "u32",
    statStride: "u32",
  },
  workgroup: [64, 1, 1],
});
