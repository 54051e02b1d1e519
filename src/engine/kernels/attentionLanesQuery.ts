import source from "../../../shaders/attentionLanesQuery.wgsl?raw";
import { attentionParameters, tiledKernels } from "./attentionTile";
import { optional, read, write } from "./kernel";

/** Tile: `D4`, `NQ`, `LANES`; constants: those and `CAUSAL`. */
export const attentionLanesQuery = tiledKernels({
  name: "attentionLanesQuery",
  source,
  bindings: [
    read("q"),
    optional("kv"),
    read("grad"),
    read("lse"),
    read("delta"),
    optional("add"),
    write("dq"),
  ],
  parameters: attentionParameters,
  workgroup: ({ LANES }) => [Number(LANES), 1, 1],
});
