/**
 * Which modules of a model carry a LoRA, and where their values lie in the flat buffers.
 *
 * Modules that read the same input share one pair of matrices (q, k and v: three `down` blocks stacked, three `up`
 * blocks stacked), which is how the matmul kernel wants them; {@link LoraGroup} says which rows belong to whom.
 */
import type { GraphBuilder } from "../../engine/graph";
import type { LoraOperand } from "../../engine/ops/linear";

/** One module as LoRA files name it. */
export interface LoraTarget {
  /** `lora_unet_down_blocks_0_…`. */
  readonly name: string;
  /** The checkpoint key of its weight, without `.weight`; see {@link bindTarget}. */
  readonly path: string;
}

/**
 * How a module of LoRA files is known to the graphs. Where q, k and v are stacked in one tensor (OpenCLIP), each is
 * known by its first row.
 */
export function bindTarget(module: {
  readonly name: string;
  readonly checkpointKey: string;
  readonly firstRow?: number;
}): LoraTarget {
  const { name, checkpointKey, firstRow } = module;
  return {
    name,
    path:
      firstRow === undefined ? checkpointKey.replace(/\.weight$/, "") : stackedPath(checkpointKey, firstRow),
  };
}

/** The path of the rows of a stacked tensor that begin at `firstRow`. */
export function stackedPath(checkpointKey: string, firstRow: number): string {
  return `${checkpointKey}#${firstRow}`;
}

export interface LoraGroup {
  readonly targets: readonly (LoraTarget | undefined)[];
  readonly inputs: number;
  /** Features of one module. */
  readonly outputs: number;
  /** Rows of one module in `down`, columns of `up`: the rank rounded up to a multiple of 4, the rest is zero. */
  readonly paddedRank: number;
  /** Names of the slices in the parameter layout. */
  readonly down: string;
  readonly up: string;
}

export class LoraBinding {
  readonly rank: number;
  /** Multiplies the product: alpha / rank. */
  readonly scale: number;
  readonly #targets: ReadonlyMap<string, LoraTarget>;
  readonly #groups = new Map<string, LoraGroup>();

  /**
   * @param targets modules that carry a LoRA; the others are left as they are
   * @param scale alpha / rank; 1 when strengths are already folded into `up`
   */
  constructor(targets: readonly LoraTarget[], rank: number, scale: number) {
    this.rank = rank;
    this.scale = scale;
    this.#targets = new Map(targets.map((target) => [target.path, target]));
  }

  get groups(): readonly LoraGroup[] {
    return [...this.#groups.values()];
  }

  /** The LoRA of the modules at these checkpoint paths; undefined when none of them carries one. */
  bind(
    graph: GraphBuilder,
    paths: readonly string[],
    inputs: number,
    outputs: number,
  ): LoraOperand | undefined {
    const targets = paths.map((path) => this.#targets.get(path));
    if (targets.every((target) => target === undefined)) return undefined;
    const paddedRank = 4 * Math.ceil(this.rank / 4);
    const name = paths.join("+");
    const group: LoraGroup = { targets, inputs, outputs, paddedRank, down: `${name}:down`, up: `${name}:up` };
    this.#groups.set(name, group);
    return {
      down: graph.parameter(group.down, [paths.length * paddedRank, inputs]),
      up: graph.parameter(group.up, [paths.length * outputs, paddedRank]),
      scale: this.scale,
      parts: paths.length,
    };
  }
}
