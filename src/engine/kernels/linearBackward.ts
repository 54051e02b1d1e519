import source from "../../../shaders/linearBackward.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { MATMUL_WORKGROUP, tiledMatmul } from "./matmulTile";

/** Grid: x covers quads of columns of dx, y rows. */
export const linearBackward = defineKernel({
  name: "linearBackward",
  source: tiledMatmul(source),
  bindings: [read("g"), read("w"), optional("dh"), optional("down"), optional("soFar"), write("dx")],
  parameters: { M: "u32", n4: "u32", k4: "u32", r4: "u32" },
  workgroup: MATMUL_WORKGROUP,
});
