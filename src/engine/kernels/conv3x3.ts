import source from "../../../shaders/conv3x3.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { laneKernels, laneWorkgroup } from "./laneTile";

/** Shared with conv3x3Tiled. */
export const conv3x3Interface = {
  bindings: [read("x"), read("w"), optional("bias"), optional("rowVector"), optional("residual"), write("y")],
  parameters: {
    pixels: "u32",
    h: "u32",
    w: "u32",
    gridH: "u32",
    gridW: "u32",
    outH: "u32",
    outW: "u32",
    ci4: "u32",
    co4: "u32",
    stride: "u32",
    pad: "u32",
    rowStride: "u32",
    rowOffset: "u32",
    tileRows: "u32",
  },
} as const;

/** Constants: `UPSAMPLE`, `ROLLED` and those of the tile. Grid: x covers output pixels, y quads of output channels. */
export const conv3x3 = laneKernels(source, (unrolled) =>
  defineKernel({ name: "conv3x3", source: unrolled, ...conv3x3Interface, workgroup: laneWorkgroup }),
);
