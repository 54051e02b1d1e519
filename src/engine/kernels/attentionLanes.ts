import source from "../../../shaders/attentionLanes.wgsl?raw";
import { attentionParameters, tiledKernels } from "./attentionTile";
import { optional, read, write } from "./kernel";

/** Tile: `D4`, `NQ`, `LANES`; constants: those and `CAUSAL`. */
export const attentionLanes = tiledKernels({
  name: "attentionLanes",
  source,
  bindings: [read("q"), optional("kv"), write("o"), write("lse")],
  parameters: attentionParameters,
  workgroup: ({ LANES }) => [Number(LANES), 1, 1],
});
