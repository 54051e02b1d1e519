/**
 * Attention without workgroup memory: scores of a block of heads (or of queries) are written out, never all of them.
 *
 * Any head dimension, any length; every kernel is a small matmul, so a handful of pipelines serves all models.
 */
import { attentionColumns } from "../../kernels/attentionColumns";
import { attentionRows } from "../../kernels/attentionRows";
import { attentionScoreGradients } from "../../kernels/attentionScoreGradients";
import { attentionScores } from "../../kernels/attentionScores";
import { attentionSoftmax } from "../../kernels/attentionSoftmax";
import { required, type Emitter } from "../../op";
import type { Tensor } from "../../tensor";
import {
  attentionGeometry,
  keySource,
  productFlops,
  type AttentionGeometry,
  type AttentionNode,
  type BackwardTensors,
  type ForwardTensors,
} from "./geometry";

/** Scores alive at once, in quads: 8 MiB of f32. */
const BLOCK_QUADS = 1 << 19;

/**
 * Queries per thread of attentionScores, attentionScoreGradients and attentionRows. Eight are 15 % faster on
 * SwiftShader but 20 % slower on lavapipe, and take both twice as long to compile.
 */
const TILE = 4;
/** Quads of keys per thread of attentionColumns. */
const COLUMN_QUADS = 2;

/** Some whole heads, or some queries of one head. */
interface Block {
  readonly firstGroup: number;
  readonly groups: number;
  readonly firstRow: number;
  readonly rows: number;
}

function blocksOf(g: AttentionGeometry): Block[] {
  const perGroup = g.tq * g.keyQuads;
  const groups = Math.min(g.groups, Math.max(1, Math.floor(BLOCK_QUADS / perGroup)));
  const most = Math.max(TILE, Math.floor(BLOCK_QUADS / g.keyQuads / TILE) * TILE);
  const rows = Math.min(g.tq, most);
  const blocks: Block[] = [];
  for (let firstGroup = 0; firstGroup < g.groups; firstGroup += groups) {
    for (let firstRow = 0; firstRow < g.tq; firstRow += rows) {
      const block = { firstGroup, groups: Math.min(groups, g.groups - firstGroup) };
      blocks.push({ ...block, firstRow, rows: Math.min(rows, g.tq - firstRow) });
    }
  }
  return blocks;
}

function scoreScratch(emit: Emitter, blocks: readonly Block[], g: AttentionGeometry): Tensor {
  const rows = Math.max(...blocks.map((block) => block.groups * block.rows));
  return emit.scratch([rows, 4 * g.keyQuads]);
}

/** The part of the work that a block does, for splitting submissions. */
function blockFlops(g: AttentionGeometry, block: Block): number {
  return (productFlops(g) * block.groups * block.rows) / (g.groups * g.tq);
}

const divideUp = (count: number, size: number): number => Math.ceil(count / size);

export function lowerForward(node: AttentionNode, emit: Emitter, outputs: ForwardTensors): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const blocks = blocksOf(g);
  const s = scoreScratch(emit, blocks, g);
  const inverse = emit.scratch([divideUp(Math.max(...blocks.map((b) => b.groups * b.rows)), 4) * 4]);
  for (const block of blocks) {
    emitScores(node, emit, g, block, { s });
    emitSoftmax(node, emit, g, block, { s, inverse, lse: outputs.lse });
    const x = keySource(node.inputs, node.name);
    emitRows(
      emit,
      g,
      block,
      { s, x, inverse, out: outputs.o },
      { xStride: g.kvStride, xOffset: g.vOffset, outStride: g.c4 },
    );
  }
}

/** Logits in base 2, or probabilities when `lse` is bound. */
function emitScores(
  node: AttentionNode,
  emit: Emitter,
  g: AttentionGeometry,
  block: Block,
  tensors: { s: Tensor; lse?: Tensor },
): void {
  const { groups, ...rows } = block;
  emit.call({
    kernel: attentionScores,
    tensors: { q: required(node, "q"), kv: node.inputs["kv"], lse: tensors.lse, s: tensors.s },
    constants: { CAUSAL: node.attributes.causal },
    parameters: {
      ...rows,
      ...shape(g),
      tqPad: g.tqPad,
      qStride: g.qStride,
      kvStride: g.kvStride,
      kOffset: g.kOffset,
      scale: node.attributes.scale * Math.LOG2E,
    },
    workgroups: [divideUp(g.keyQuads, 8), divideUp(block.rows, 8 * TILE), groups],
    flops: blockFlops(g, block),
  });
}

function emitSoftmax(
  node: AttentionNode,
  emit: Emitter,
  g: AttentionGeometry,
  { groups, ...rows }: Block,
  tensors: { s: Tensor; inverse: Tensor; lse: Tensor },
): void {
  const count = groups * rows.rows;
  emit.call({
    kernel: attentionSoftmax,
    tensors,
    constants: { CAUSAL: node.attributes.causal },
    parameters: { ...rows, count, tk: g.tk, tqPad: g.tqPad, keyQuads: g.keyQuads },
    workgroups: [divideUp(count, 64), 1, 1],
  });
}

interface RowColumns {
  readonly xStride: number;
  readonly xOffset: number;
  readonly outStride: number;
}

function emitRows(
  emit: Emitter,
  g: AttentionGeometry,
  block: Block,
  tensors: { s: Tensor; x: Tensor; inverse?: Tensor; add?: Tensor | undefined; out: Tensor },
  columns: RowColumns,
): void {
  const { groups, ...rows } = block;
  emit.call({
    kernel: attentionRows,
    tensors,
    parameters: { ...rows, ...shape(g), ...columns },
    workgroups: [divideUp(divideUp(block.rows, TILE) * g.d4, 64), 1, groups],
    flops: blockFlops(g, block),
  });
}

const shape = (g: AttentionGeometry) => ({
  heads: g.heads,
  d4: g.d4,
  tq: g.tq,
  tk: g.tk,
  keyQuads: g.keyQuads,
});

export function lowerBackward(node: AttentionNode, emit: Emitter, tensors: BackwardTensors): void {
  const g = attentionGeometry(node.name, node.inputs, node.attributes.heads);
  const blocks = blocksOf(g);
  const s = scoreScratch(emit, blocks, g);
  const isSplit = blocks.some((block) => block.rows < g.tq);
  const acc = tensors.dkv && isSplit ? emit.scratch([g.images * g.tk, 8 * g.c4]) : undefined;
  const columns = { s, acc, ...tensors };
  for (const block of blocks) {
    emitScores(node, emit, g, block, { s, lse: tensors.lse });
    if (tensors.dkv) emitColumns(emit, g, block, { ...columns, x: tensors.grad, out: tensors.dkv }, "v");
    emitScoreGradients(node, emit, g, block, { ...tensors, s });
    if (tensors.dq) emitQueryGradient(node, emit, g, block, { s, add: tensors.add, out: tensors.dq });
    if (tensors.dkv)
      emitColumns(emit, g, block, { ...columns, x: required(node, "q"), out: tensors.dkv }, "k");
  }
}

function emitQueryGradient(
  node: AttentionNode,
  emit: Emitter,
  g: AttentionGeometry,
  block: Block,
  tensors: { s: Tensor; add: Tensor | undefined; out: Tensor },
): void {
  const x = keySource(node.inputs, node.name);
  emitRows(
    emit,
    g,
    block,
    { ...tensors, x },
    { xStride: g.kvStride, xOffset: g.kOffset, outStride: g.qStride },
  );
}

function emitScoreGradients(
  node: AttentionNode,
  emit: Emitter,
  g: AttentionGeometry,
  block: Block,
  tensors: { s: Tensor; grad: Tensor; delta: Tensor },
): void {
  const { groups, ...rows } = block;
  emit.call({
    kernel: attentionScoreGradients,
    tensors: { grad: tensors.grad, v: keySource(node.inputs, node.name), delta: tensors.delta, s: tensors.s },
    parameters: {
      ...rows,
      ...shape(g),
      tqPad: g.tqPad,
      gradStride: g.c4,
      vStride: g.kvStride,
      vOffset: g.vOffset,
      scale: node.attributes.scale,
    },
    workgroups: [divideUp(g.keyQuads, 8), divideUp(block.rows, 8 * TILE), groups],
    flops: blockFlops(g, block),
  });
}

/** dV from the output's gradient, or dK from the queries. */
function emitColumns(
  emit: Emitter,
  g: AttentionGeometry,
  block: Block,
  tensors: { s: Tensor; x: Tensor; add?: Tensor | undefined; acc: Tensor | undefined; out: Tensor },
  part: "k" | "v",
): void {
  const { s, x, add, acc, out } = tensors;
  const { groups, ...rows } = block;
  const outOffset = part === "k" ? g.kOffset : g.vOffset;
  emit.call({
    kernel: attentionColumns,
    tensors: { s, x, add, acc, out },
    parameters: {
      ...rows,
      ...shape(g),
      last: block.firstRow + block.rows === g.tq ? 1 : 0,
      xStride: part === "k" ? g.qStride : g.c4,
      xOffset: 0,
      outStride: g.kvStride,
      outOffset,
      accStride: 2 * g.c4,
      accOffset: part === "k" ? 0 : g.c4,
    },
    workgroups: [divideUp(divideUp(g.keyQuads, COLUMN_QUADS) * g.d4, 64), 1, groups],
    flops: blockFlops(g, block),
  });
}
