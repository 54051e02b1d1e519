import source from "../../../shaders/conv3x3Backward.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { laneKernels, laneWorkgroup } from "./laneTile";

/** Shared with conv3x3BackwardTiled. */
export const conv3x3BackwardInterface = {
  bindings: [read("g"), read("w"), optional("soFar"), write("dx")],
  parameters: {
    images: "u32",
    h: "u32",
    w: "u32",
    outH: "u32",
    outW: "u32",
    ci4: "u32",
    co4: "u32",
    stride: "u32",
    pad: "u32",
    tileRows: "u32",
  },
} as const;

/** Constants: `UPSAMPLE`, `ROLLED` and those of the tile. Grid: x covers the input pixels of one class, y quads of input channels, z the stride² pixel classes. */
export const conv3x3Backward = laneKernels(source, (unrolled) =>
  defineKernel({
    name: "conv3x3Backward",
    source: unrolled,
    ...conv3x3BackwardInterface,
    workgroup: laneWorkgroup,
  }),
);
