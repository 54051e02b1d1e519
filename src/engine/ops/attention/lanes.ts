/** Attention for small heads on software adapters: registers and subgroup broadcasts, no scores in memory. */
import { attentionLanes } from "../../kernels/attentionLanes";
import { attentionLanesKeys } from "../../kernels/attentionLanesKeys";
import { attentionLanesQuery } from "../../kernels/attentionLanesQuery";
import { required, type Emitter } from "../../op";
import type { KernelPolicy } from "../../policy";
import {
  attentionGeometry,
  callParameters,
  productFlops,
  type AttentionGeometry,
  type AttentionNode,
  type BackwardTensors,
  type ForwardTensors,
} from "./geometry";

/** Larger heads would not fit the registers, and take long to compile. */
const LARGEST_D4 = 4;

export function fitsLanes(policy: KernelPolicy, g: AttentionGeometry): boolean {
  return policy.broadcastLanes > 0 && g.d4 <= LARGEST_D4;
}

/** Queries (or keys) per lane: more of them share a broadcast, until the compiler spills. */
function perLane(d4: number): number {
  return d4 <= 2 ? 4 : 2;
}

export function lowerForward(node: AttentionNode, emit: Emitter, outputs: ForwardTensors): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const tile = { D4: g.d4, NQ: perLane(g.d4), LANES: emit.policy.broadcastLanes };
  emit.call({
    kernel: attentionLanes(tile),
    tensors: { q: required(node, "q"), kv: node.inputs["kv"], ...outputs },
    constants: { ...tile, CAUSAL: node.attributes.causal },
    parameters: { ...callParameters(g), scale: node.attributes.scale * Math.LOG2E },
    workgroups: [Math.ceil(g.tq / (tile.NQ * tile.LANES)), g.groups, 1],
    flops: 2 * productFlops(g),
  });
}

export function lowerBackward(node: AttentionNode, emit: Emitter, tensors: BackwardTensors): void {
  if (tensors.dq) emitQueryGradient(node, emit, tensors);
  if (tensors.dkv) emitKeyGradients(node, emit, tensors);
}

function emitQueryGradient(
  node: AttentionNode,
  emit: Emitter,
  { grad, lse, delta, add, dq }: BackwardTensors,
): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const tile = { D4: g.d4, NQ: perLane(g.d4), LANES: emit.policy.broadcastLanes };
  emit.call({
    kernel: attentionLanesQuery(tile),
    tensors: { q: required(node, "q"), kv: node.inputs["kv"], grad, lse, delta, add, dq },
    constants: { ...tile, CAUSAL: node.attributes.causal },
    parameters: { ...callParameters(g), scale: node.attributes.scale },
    workgroups: [Math.ceil(g.tq / (tile.NQ * tile.LANES)), g.groups, 1],
    flops: 3 * productFlops(g),
  });
}

function emitKeyGradients(
  node: AttentionNode,
  emit: Emitter,
  { grad, lse, delta, add, dkv }: BackwardTensors,
): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const tile = { D4: g.d4, NK: perLane(g.d4), LANES: emit.policy.broadcastLanes };
  emit.call({
    kernel: attentionLanesKeys(tile),
    tensors: { q: required(node, "q"), kv: node.inputs["kv"], grad, lse, delta, add, dkv },
    constants: { ...tile, CAUSAL: node.attributes.causal },
    parameters: { ...callParameters(g), scale: node.attributes.scale },
    workgroups: [Math.ceil(g.tk / (tile.NK * tile.LANES)), g.groups, 1],
    flops: 4 * productFlops(g),
  });
}
