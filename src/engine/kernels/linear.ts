import source from "../../../shaders/linear.wgsl?raw";
import { defineKernel, optional, read, write } from "./kernel";
import { MATMUL_WORKGROUP, tiledMatmul } from "./matmulTile";

/** Grid: x covers quads of columns, y rows. */
export const linear = defineKernel({
  name: "linear",
  source: tiledMatmul(source),
  bindings: [
    read("x"),
    read("w"),
    optional("bias"),
    optional("h"),
    optional("up"),
    optional("residual"),
    optional("rowVector"),
    write("y"),
  ],
  parameters: {
    M: "u32",
    n4: "u32",
    k4: "u32",
    partN4: "u32",
    r4: "u32",
    hStride: "u32",
    rowsPerImage: "u32",
    rowStride: "u32",
    loraScale: "f32",
  },
  workgroup: MATMUL_WORKGROUP,
});
