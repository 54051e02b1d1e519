import source from "../../../shaders/attentionLanesKeys.wgsl?raw";
import { attentionParameters, tiledKernels } from "./attentionTile";
import { optional, read, write } from "./kernel";

/** Tile: `D4`, `NK`, `LANES`; constants: those and `CAUSAL`. */
export const attentionLanesKeys = tiledKernels({
  name: "attentionLanesKeys",
  source,
  bindings: [
    read("q"),
    optional("kv"),
    read("grad"),
    read("lse"),
    read("delta"),
    optional("add"),
    write("dkv"),
  ],
  parameters: attentionParameters,
  workgroup: ({ LANES }) => [Number(LANES), 1, 1],
});
