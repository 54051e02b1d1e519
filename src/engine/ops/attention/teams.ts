/**
 * Attention on GPUs: tiles of keys (or queries) in workgroup memory, teams of lanes that share a query (or a key).
 *
 * Queries per team are the untuned choice of the kernels guide (2 forward, 1 backward): it fits the registers of every
 * vendor. More would suit NVIDIA and AMD.
 */
import { attentionSliceSum } from "../../kernels/attentionSliceSum";
import { attentionTeam } from "../../kernels/attentionTeam";
import { attentionTeamKeys } from "../../kernels/attentionTeamKeys";
import { attentionTeamQuery } from "../../kernels/attentionTeamQuery";
import { required, type Emitter } from "../../op";
import type { KernelPolicy } from "../../policy";
import type { Tensor } from "../../tensor";
import {
  attentionGeometry,
  callParameters,
  productFlops,
  type AttentionGeometry,
  type AttentionNode,
  type BackwardTensors,
  type ForwardTensors,
} from "./geometry";

const THREADS = 64;
const FORWARD_QUERIES = 2;
const BACKWARD_QUERIES = 1;
/** Quads of one query that a lane can hold without spilling in the backward pass. */
const LARGEST_SLICE = 5;
/** Workgroups that fill a large GPU; fewer owners of keys share the queries out in slices. */
const WANTED_WORKGROUPS = 256;
const MOST_SLICES = 16;

/** Lanes that share a head of `d4` quads; undefined when it does not divide evenly. */
function teamSize(d4: number): number | undefined {
  return [1, 2, 4, 8].find((team) => d4 % team === 0 && d4 / team <= LARGEST_SLICE);
}

export function fitsTeams(policy: KernelPolicy, g: AttentionGeometry): boolean {
  return policy.sharedMemory && teamSize(g.d4) !== undefined;
}

interface TeamTile {
  /** Quads of a head; lanes that share one; quads per lane; teams of a workgroup. */
  readonly D4: number;
  readonly TEAM: number;
  readonly SLICE: number;
  readonly TEAMS: number;
  /** Rows in workgroup memory, and rounds of loading them. */
  readonly BK: number;
  readonly LOADS: number;
  /** Vectors each lane exchanges with its team at once. */
  readonly SLOTS: number;
}

function teamTile(d4: number, slots: number): TeamTile {
  const TEAM = teamSize(d4) ?? 1;
  const BK = d4 <= 16 ? 16 : 8;
  const LOADS = Math.ceil((BK * d4) / THREADS);
  return { D4: d4, TEAM, SLICE: d4 / TEAM, TEAMS: THREADS / TEAM, BK, LOADS, SLOTS: slots };
}

function constantsOf(node: AttentionNode, policy: KernelPolicy, tile: TeamTile) {
  // Subgroups have at least four lanes everywhere.
  return { ...tile, SHUFFLE: policy.subgroups && tile.TEAM <= 4, CAUSAL: node.attributes.causal };
}

export function lowerForward(node: AttentionNode, emit: Emitter, outputs: ForwardTensors): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const tile = { ...teamTile(g.d4, FORWARD_QUERIES), NQ: FORWARD_QUERIES };
  emit.call({
    kernel: attentionTeam(tile),
    tensors: { q: required(node, "q"), kv: node.inputs["kv"], ...outputs },
    constants: constantsOf(node, emit.policy, tile),
    parameters: { ...callParameters(g), scale: node.attributes.scale * Math.LOG2E },
    workgroups: [Math.ceil(g.tq / (tile.NQ * tile.TEAMS)), g.groups, 1],
    flops: 2 * productFlops(g),
  });
}

export function lowerBackward(node: AttentionNode, emit: Emitter, tensors: BackwardTensors): void {
  if (tensors.dq) emitQueryGradient(node, emit, tensors);
  if (tensors.dkv) emitKeyGradients(node, emit, { ...tensors, dkv: tensors.dkv });
}

function emitQueryGradient(
  node: AttentionNode,
  emit: Emitter,
  { grad, lse, delta, add, dq }: BackwardTensors,
): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const tile = { ...teamTile(g.d4, 2 * BACKWARD_QUERIES), NQ: BACKWARD_QUERIES };
  emit.call({
    kernel: attentionTeamQuery(tile),
    tensors: { q: required(node, "q"), kv: node.inputs["kv"], grad, lse, delta, add, dq },
    constants: constantsOf(node, emit.policy, tile),
    parameters: { ...callParameters(g), scale: node.attributes.scale },
    workgroups: [Math.ceil(g.tq / (tile.NQ * tile.TEAMS)), g.groups, 1],
    flops: 3 * productFlops(g),
  });
}

function emitKeyGradients(
  node: AttentionNode,
  emit: Emitter,
  tensors: BackwardTensors & { dkv: Tensor },
): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const tile = { ...teamTile(g.d4, BACKWARD_QUERIES), NK: BACKWARD_QUERIES };
  const owners = Math.ceil(g.tk / (tile.NK * tile.TEAMS));
  const { slices, sliceRows } = sliceQueries(g, owners, tile.BK);
  const part = slices > 1 ? emit.scratch([slices * g.images * g.tk, 8 * g.c4]) : undefined;
  const { grad, lse, delta, add, dkv } = tensors;
  const place = part
    ? { outStride: 2 * g.c4, outOffset: 0 }
    : { outStride: g.kvStride, outOffset: g.kOffset };
  emit.call({
    kernel: attentionTeamKeys(tile),
    tensors: {
      q: required(node, "q"),
      kv: node.inputs["kv"],
      grad,
      lse,
      delta,
      add: part ? undefined : add,
      dkv: part ?? dkv,
    },
    constants: constantsOf(node, emit.policy, tile),
    parameters: { ...callParameters(g), ...place, groups: g.groups, sliceRows, scale: node.attributes.scale },
    workgroups: [owners, g.groups, slices],
    flops: 4 * productFlops(g),
  });
  if (part) emitSliceSum(emit, g, slices, { part, add, out: dkv });
}

/** How many slices of how many queries; from the shape alone, because it decides the order of the sums. */
function sliceQueries(
  g: AttentionGeometry,
  owners: number,
  rows: number,
): { slices: number; sliceRows: number } {
  const wanted = Math.min(
    MOST_SLICES,
    Math.floor(WANTED_WORKGROUPS / (owners * g.groups)),
    Math.floor(g.tq / (2 * rows)),
  );
  const sliceRows = Math.ceil(g.tq / Math.max(1, wanted) / rows) * rows;
  return { slices: Math.ceil(g.tq / sliceRows), sliceRows };
}

function emitSliceSum(
  emit: Emitter,
  g: AttentionGeometry,
  slices: number,
  tensors: { part: Tensor; add: Tensor | undefined; out: Tensor },
): void {
  const width = 2 * g.c4;
  const count = g.images * g.tk * width;
  emit.call({
    kernel: attentionSliceSum,
    tensors,
    parameters: { count, slices, width, outStride: g.kvStride, outOffset: g.kOffset },
    workgroups: [Math.ceil(count / 64), 1, 1],
  });
}
