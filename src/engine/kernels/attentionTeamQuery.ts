import source from "../../../shaders/attentionTeamQuery.wgsl?raw";
import { attentionParameters, teamSharedBytes, tiledKernels } from "./attentionTile";
import { optional, read, write } from "./kernel";

/** Tile: see `TeamTile` in `ops/attention/teams.ts`; constants: those, `SHUFFLE` and `CAUSAL`. */
export const attentionTeamQuery = tiledKernels({
  name: "attentionTeamQuery",
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
  workgroup: [64, 1, 1],
  sharedBytes: teamSharedBytes,
});
