import source from "../../../shaders/conv3x3Tiled.wgsl?raw";
import { conv3x3Interface } from "./conv3x3";
import { defineKernel } from "./kernel";
import { unroll } from "./unroll";

/** Constants: `UPSAMPLE`. Grid: x covers output channels, 64 each, y output pixels, 64 each. */
export const conv3x3Tiled = defineKernel({
  name: "conv3x3Tiled",
  source: unroll(source),
  ...conv3x3Interface,
  workgroup: [128, 1, 1],
  sharedBytes: () => 2 * 64 * 5 * 16,
});
