import source from "../../../shaders/linearBackwardTiled.wgsl?raw";
import { defineKernel } from "./kernel";
import { linearBackwardInterface } from "./linearBackward";
import { unroll } from "./unroll";

/** Constants: `SPLIT`. Grid: x covers columns of dx, 64 each, y rows, 64 each, z slices of the contraction. */
export const linearBackwardTiled = defineKernel({
  name: "linearBackwardTiled",
  source: unroll(source),
  ...linearBackwardInterface,
  workgroup: [128, 1, 1],
  sharedBytes: () => (64 * 5 + 16 * 16) * 16,
});
