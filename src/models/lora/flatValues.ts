/**
 * LoRA values between the flat buffers and the matrices files hold.
 *
 * In the flat buffers a group of modules shares `down` (their rows stacked) and `up` (their rows stacked), with the rank
 * padded to a multiple of four; a file has one `down [rank, in]` and one `up [out, rank]` per module.
 */
import { invariant } from "../../base/errors";
import { counterUniform, randomStream } from "../../base/random/counter";
import type { ParameterLayout } from "../../engine/parameters";
import type { LoraGroup } from "./binding";

/** One module's matrices, row-major. */
export interface LoraMatrices {
  readonly name: string;
  readonly rank: number;
  readonly alpha: number;
  readonly inputs: number;
  readonly outputs: number;
  /** `[rank, inputs]` */
  readonly down: Float32Array<ArrayBuffer>;
  /** `[outputs, rank]` */
  readonly up: Float32Array<ArrayBuffer>;
}

/**
 * Fresh values as the trainer starts: `down` uniform in ±1/√inputs (Kaiming with a = √5), `up` zero.
 * @returns the whole flat parameter buffer
 */
export function initialLora(
  layout: ParameterLayout,
  groups: readonly LoraGroup[],
  rank: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(layout.length);
  groups.forEach((group, groupIndex) => {
    const begin = offsetOf(layout, group.down);
    const bound = 1 / Math.sqrt(group.inputs);
    group.targets.forEach((target, part) => {
      if (!target) return;
      const first = begin + part * group.paddedRank * group.inputs;
      for (let i = 0; i < rank * group.inputs; i++) {
        const unit = counterUniform(seed, groupIndex, randomStream.loraInit, part * rank * group.inputs + i);
        flat[first + i] = (2 * unit - 1) * bound;
      }
    });
  });
  return flat;
}

/** Cuts the flat buffer into the matrices of a file, in group order. */
export function extractLora(
  flat: Float32Array,
  layout: ParameterLayout,
  groups: readonly LoraGroup[],
  rank: number,
  alpha: number,
): LoraMatrices[] {
  return groups.flatMap((group) =>
    group.targets.flatMap((target, part) => {
      if (!target) return [];
      const downBegin = offsetOf(layout, group.down) + part * group.paddedRank * group.inputs;
      const upBegin = offsetOf(layout, group.up) + part * group.outputs * group.paddedRank;
      const down = flat.slice(downBegin, downBegin + rank * group.inputs);
      const up = new Float32Array(group.outputs * rank);
      for (let o = 0; o < group.outputs; o++) {
        for (let r = 0; r < rank; r++) up[o * rank + r] = flat[upBegin + o * group.paddedRank + r] ?? 0;
      }
      return { name: target.name, rank, alpha, inputs: group.inputs, outputs: group.outputs, down, up };
    }),
  );
}

/** A LoRA to apply, with strengths for its UNet and text-encoder modules. */
export interface WeightedLora {
  readonly modules: ReadonlyMap<string, LoraMatrices>;
  readonly unetStrength: number;
  readonly textStrength: number;
}

/** Ranks of stacked LoRAs add up: they lie side by side in one pair of matrices. */
export function stackedRank(loras: readonly WeightedLora[]): number {
  return loras.reduce((total, lora) => total + largestRank(lora), 0);
}

/**
 * The flat buffer that applies several LoRAs at once; strength and alpha/rank are folded into `up`, so the binding's
 * scale must be 1.
 */
export function stackLoras(
  layout: ParameterLayout,
  groups: readonly LoraGroup[],
  loras: readonly WeightedLora[],
): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(layout.length);
  for (const group of groups) {
    let firstRow = 0;
    for (const lora of loras) {
      group.targets.forEach((target, part) => {
        const matrices = target && lora.modules.get(target.name);
        if (!matrices) return;
        const scale = (strengthOf(lora, matrices.name) * matrices.alpha) / matrices.rank;
        placeModule(flat, layout, { group, part, firstRow }, matrices, scale);
      });
      firstRow += largestRank(lora);
    }
  }
  return flat;
}

/** The flat buffer that holds these matrices as they are, to train on from them. */
export function fillLora(
  layout: ParameterLayout,
  groups: readonly LoraGroup[],
  modules: ReadonlyMap<string, LoraMatrices>,
): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(layout.length);
  for (const group of groups) {
    group.targets.forEach((target, part) => {
      const matrices = target && modules.get(target.name);
      if (matrices) placeModule(flat, layout, { group, part, firstRow: 0 }, matrices, 1);
    });
  }
  return flat;
}

interface Place {
  readonly group: LoraGroup;
  /** Which module of the group, and which row of its `down` block comes first. */
  readonly part: number;
  readonly firstRow: number;
}

function placeModule(
  flat: Float32Array,
  layout: ParameterLayout,
  { group, part, firstRow }: Place,
  lora: LoraMatrices,
  scale: number,
): void {
  invariant(
    lora.inputs === group.inputs && lora.outputs === group.outputs,
    () => `${lora.name} is ${lora.outputs}×${lora.inputs}, its module is ${group.outputs}×${group.inputs}`,
  );
  const downBegin = offsetOf(layout, group.down) + (part * group.paddedRank + firstRow) * group.inputs;
  flat.set(lora.down, downBegin);
  const upBegin = offsetOf(layout, group.up) + part * group.outputs * group.paddedRank + firstRow;
  for (let o = 0; o < lora.outputs; o++) {
    for (let r = 0; r < lora.rank; r++)
      flat[upBegin + o * group.paddedRank + r] = scale * (lora.up[o * lora.rank + r] ?? 0);
  }
}

function strengthOf(lora: WeightedLora, module: string): number {
  return module.startsWith("lora_te") ? lora.textStrength : lora.unetStrength;
}

function largestRank(lora: WeightedLora): number {
  return Math.max(0, ...[...lora.modules.values()].map((module) => module.rank));
}

function offsetOf(layout: ParameterLayout, name: string): number {
  const slice = layout.find(name);
  invariant(slice, () => `${name} has no place in the LoRA layout`);
  return slice.offset;
}
