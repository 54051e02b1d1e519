import source from "../../../shaders/attentionTeam.wgsl?raw";
import { attentionParameters, teamSharedBytes, tiledKernels } from "./attentionTile";
import { optional, read, write } from "./kernel";

/** Tile: see `TeamTile` in `ops/attention/teams.ts`; constants: those, `SHUFFLE` and `CAUSAL`. */
export const attentionTeam = tiledKernels({
  name: "attentionTeam",
  source,
  bindings: [read("q"), optional("kv"), write("o"), write("lse")],
  parameters: attentionParameters,
  workgroup: [64, 1, 1],
  sharedBytes: teamSharedBytes,
});
