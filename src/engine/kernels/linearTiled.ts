import source from "../../../shaders/linearTiled.wgsl?raw";
import { defineKernel } from "./kernel";
import { linearInterface } from "./linear";
import { unroll } from "./unroll";

/** Constants: `SPLIT`. Grid: x covers columns, 64 each and part by part, y rows, 64 each, z slices of the contraction. */
export const linearTiled = defineKernel({
  name: "linearTiled",
  source: unroll(source),
  ...linearInterface,
  workgroup: [128, 1, 1],
  sharedBytes: () => 2 * 64 * 5 * 16,
});
