import source from "../../../shaders/attentionTeamKeys.wgsl?raw";
import { attentionParameters, teamSharedBytes, tiledKernels } from "./attentionTile";
import { optional, read, write } from "./kernel";

/** Tile: see `TeamTile` in `ops/attention/teams.ts`; constants: those, `SHUFFLE` and `CAUSAL`. */
export const attentionTeamKeys = tiledKernels({
  name: "attentionTeamKeys",
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
  parameters: { ...attentionParameters, groups: "u32", sliceRows: "u32", outStride: "u32", outOffset: "u32" },
  workgroup: [64, 1, 1],
  sharedBytes: teamSharedBytes,
});
