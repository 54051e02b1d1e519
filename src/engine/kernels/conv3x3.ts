import forwardSource from "../../../shaders/conv3x3.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { unroll } from "./unroll";

/** Pixels × quads of output channels per thread. */
export const CONV_TILE = { TM: 4, TN: 2 };

/** Constants: `UPSAMPLE`. Grid: x covers pixels (TM per thread), y covers quads of output channels (TN each). */
export const conv3x3 = defineKernel({
  name: "conv3x3",
  source: tiled(forwardSource),
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
  },
  workgroup: [16, 1, 1],
});

/** Unrolls a convolution kernel to the tile. */
export function tiled(source: string): string {
  const { TM, TN } = CONV_TILE;
  return `const TM = ${TM}u;\nconst TN = ${TN}u;\n${unroll(source, CONV_TILE)}`;
}
