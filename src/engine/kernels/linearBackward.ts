import source from "../../../shaders/linearBackward.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { laneKernels, laneWorkgroup } from "./laneTile";

/** Shared with linearBackwardTiled. */
export const linearBackwardInterface = {
  bindings: [read("g"), read("w"), optional("dh"), optional("down"), optional("soFar"), write("dx")],
  parameters: {
    M: "u32",
    n4: "u32",
    k4: "u32",
    r4: "u32",
    parts: "u32",
    scale: "f32",
    tileRows: "u32",
    sliceQuads: "u32",
  },
} as const;

/** Constants: those of the tile. Grid: x covers rows, y quads of columns of dx, part by part. */
export const linearBackward = laneKernels(source, (unrolled) =>
  defineKernel({
    name: "linearBackward",
    source: unrolled,
    ...linearBackwardInterface,
    workgroup: laneWorkgroup,
  }),
);
