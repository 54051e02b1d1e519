import source from "../../../shaders/conv3x3BackwardTiled.wgsl?raw";
import { conv3x3BackwardInterface } from "./conv3x3Backward";
import { defineKernel } from "./kernel";
import { unroll } from "./unroll";

/** Constants: `UPSAMPLE`. Grid: x covers input channels, 64 each, y the input pixels of one class, 64 each, z the stride² pixel classes. */
export const conv3x3BackwardTiled = defineKernel({
  name: "conv3x3BackwardTiled",
  source: unroll(source),
  ...conv3x3BackwardInterface,
  workgroup: [128, 1, 1],
  sharedBytes: () => 64 * 5 * 16 + 16 * 16 * 16,
});
