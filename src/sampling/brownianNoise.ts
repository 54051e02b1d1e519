/**
 * The noise of the SDE samplers: normalised increments of one Brownian path over all noise levels, so that the
 * noise between two levels does not depend on the steps taken. Equal to torchsde's tree.
 *
 * The path is a binary tree of intervals halved at their middle (times rounded to 6 decimals); each middle is a
 * Brownian bridge with its own seed, so any interval can be computed alone.
 */
import { createNoiseSource } from "../base/random/noiseSource";
import type { NoiseSourceKind } from "../base/random/noiseSource";
import { seedSequence } from "../base/random/seedSequence";
import { weightedSum } from "./steps";

export interface BrownianOptions {
  source: NoiseSourceKind;
  /** The image's seed. */
  seed: number;
  /** Elements of the latents. */
  size: number;
  /** Lowest noise level above 0, and highest, of the whole schedule. */
  sigmaMin: number;
  sigmaMax: number;
}

interface TreeNode {
  key: number;
  depth: number;
  left: number;
  right: number;
  /** W(right) − W(left). */
  increment: Float32Array;
}

/** To 6 decimals by the exact value: multiplying first would round some middles the other way, and the path is rough. */
function rounded(time: number): number {
  return Number(time.toFixed(6));
}

/** The two halves of a node; the middle is drawn from the bridge between its ends. */
function halves({ source, seed, size }: BrownianOptions, node: TreeNode): [TreeNode, TreeNode] {
  const { key, depth, left, right, increment } = node;
  const middle = rounded((left + right) / 2);
  const [nodeSeed = 0] = seedSequence(seed, [key, depth], 1);
  const bridge = createNoiseSource(source, nodeSeed).randn(size);
  const share = (middle - left) / (right - left);
  const deviation = Math.sqrt(((middle - left) * (right - middle)) / (right - left));
  const first = weightedSum([share, increment], [deviation, bridge]);
  const second = weightedSum([1, increment], [-1, first]);
  return [
    { key: key * 2, depth: depth + 1, left, right: middle, increment: first },
    { key: key * 2 + 1, depth: depth + 1, left: middle, right, increment: second },
  ];
}

/** W(to) − W(from) for times within the node, added up from the parts that tile it; nothing when empty. */
function increments(options: BrownianOptions, node: TreeNode, from: number, to: number): Float32Array[] {
  if (from >= to) return [];
  if (from <= node.left && to >= node.right) return [node.increment];
  const [first, second] = halves(options, node);
  return [
    ...increments(options, first, from, Math.min(to, first.right)),
    ...increments(options, second, Math.max(from, second.left), to),
  ];
}

/** @returns what `SamplerOptions.noise` asks for: unit normals for the step from σ down to σ'. */
export function brownianNoise(options: BrownianOptions): (sigma: number, sigmaNext: number) => Float32Array {
  const { source, seed, size } = options;
  const [left, right] = [rounded(options.sigmaMin), rounded(options.sigmaMax)];
  const [rootSeed = 0] = seedSequence(seed, [], 1);
  const unit = createNoiseSource(source, rootSeed).randn(size);
  const increment = weightedSum([Math.sqrt(right - left), unit]);
  const root: TreeNode = { key: 0, depth: 0, left, right, increment };
  return (sigma, sigmaNext) => {
    const [from, to] = [rounded(sigmaNext), rounded(sigma)];
    const parts = increments(options, root, from, to);
    const scale = -1 / Math.sqrt(sigma - sigmaNext); // time runs from much noise to little
    return weightedSum(...parts.map((part): [number, Float32Array] => [scale, part]));
  };
}
