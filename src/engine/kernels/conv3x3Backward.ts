import source from "../../../shaders/conv3x3Backward.wgsl?raw";
import { tiled } from "./conv3x3";
import { defineKernel, optional, read, write } from "./kernel";

/**
 * Constants: `UPSAMPLE`. Grid: x covers the input pixels of one class (TM per thread), y covers quads of input
 * channels (TN each), z the stride² pixel classes.
 */
export const conv3x3Backward = defineKernel({
  name: "conv3x3Backward",
  source: tiled(source),
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
  },
  workgroup: [16, 1, 1],
});
