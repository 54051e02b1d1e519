/**
 * Attention: softmax(q·kᵀ·scale)·v for each head, forward and backward, without ever holding all scores.
 *
 * The backward pass needs from the forward pass only o and lse, the base-2 logarithm of each row's sum of exponentials:
 * p = exp2(logit − lse). No atomics: sums run in a fixed order.
 */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { attentionDelta } from "../kernels/attentionDelta";
import { defineOp, required, type Emitter, type GradientBuilder } from "../op";
import { channels, dimension, elementCount, rows, type Tensor, type TensorSpec } from "../tensor";
import {
  attentionGeometry,
  productFlops,
  type AttentionAttributes,
  type AttentionNode,
} from "./attention/geometry";
import * as lanes from "./attention/lanes";
import * as portable from "./attention/portable";
import * as teams from "./attention/teams";

export type { AttentionAttributes } from "./attention/geometry";

export interface AttentionOptions {
  readonly heads: number;
  /** Default false. */
  readonly causal?: boolean;
  /** Default headDim^-½. */
  readonly scale?: number;
}

/** Either one tensor `qkv` [B, T, 3C] or `q` [B, Tq, C] with `kv` [B, Tk, 2C]. */
export type AttentionOperands = { readonly qkv: Tensor } | { readonly q: Tensor; readonly kv: Tensor };

/** Adds attention to the graph; gives o [B, Tq, C]. Head dimensions (C ÷ heads) are multiples of four. */
export function attention(
  g: GraphBuilder,
  name: string,
  operands: AttentionOperands,
  options: AttentionOptions,
): Tensor {
  const inputs = "qkv" in operands ? { q: operands.qkv } : { q: operands.q, kv: operands.kv };
  const { d4 } = attentionGeometry(name, inputs, options.heads);
  const { heads, causal = false, scale = (4 * d4) ** -0.5 } = options;
  const [o] = g.node(attentionOp, name, inputs, { heads, causal, scale });
  invariant(o, "attention has no output");
  return o;
}

/** Inputs q (or qkv) and optionally kv; outputs o and lse [B·heads, Tq rounded up to a quad]. */
export const attentionOp = defineOp<AttentionAttributes>({
  name: "attention",
  outputs: (inputs, { heads }) => {
    const g = attentionGeometry("attention", inputs, heads);
    const q = required({ name: "attention", inputs }, "q");
    return [{ shape: [...q.shape.slice(0, -1), 4 * g.c4], type: q.type }, rowStatistics(g)];
  },
  lower: (node, emit) =>
    variant(node, emit).lowerForward(node, emit, { o: output(node, 0), lse: output(node, 1) }),
  cost: (node) => ({ kind: "attention", flops: 2 * productFlops(geometryOf(node)) }),
  vjp: (node, [grad], builder) => {
    if (!grad) return;
    const delta = single(
      builder,
      attentionDeltaOp,
      node,
      { o: builder.value(output(node, 0)), grad },
      node.attributes,
    );
    if (node.inputs["kv"]) contributeCross(node, { grad, delta }, builder);
    else contributePart(node, "qkv", { grad, delta }, builder, BACKWARD_PRODUCTS);
  },
});

/** Useful products of the backward pass: scores again, dP, dV, dK, dQ. */
const BACKWARD_PRODUCTS = 5;

interface BackwardAttributes extends AttentionAttributes {
  /** Whose gradient the node gives: of qkv together, of q, or of kv. */
  readonly part: "qkv" | "q" | "kv";
  /** Useful products counted for this node. */
  readonly products: number;
}

/** Two nodes, so that the one nobody wants is left out; work they both do is counted once. */
function contributeCross(node: AttentionNode, tensors: RowGradients, builder: GradientBuilder): void {
  const wantsKv = builder.wants(node.inputs["kv"]);
  if (builder.wants(node.inputs["q"])) contributePart(node, "q", tensors, builder, wantsKv ? 1 : 3);
  if (wantsKv) contributePart(node, "kv", tensors, builder, 4);
}

interface RowGradients {
  readonly grad: Tensor;
  readonly delta: Tensor;
}

function contributePart(
  node: AttentionNode,
  part: BackwardAttributes["part"],
  tensors: RowGradients,
  builder: GradientBuilder,
  products: number,
): void {
  const kv = node.inputs["kv"];
  const inputs = {
    q: builder.value(required(node, "q")),
    ...(kv && { kv: builder.value(kv) }),
    lse: builder.value(output(node, 1)),
    ...tensors,
  };
  builder.contribute(required(node, part === "kv" ? "kv" : "q"), (soFar) =>
    single(builder, attentionBackwardOp, node, soFar ? { ...inputs, add: soFar } : inputs, {
      ...node.attributes,
      part,
      products,
    }),
  );
}

/** Δ of each row and head; see attentionDelta.wgsl. */
export const attentionDeltaOp = defineOp<AttentionAttributes>({
  name: "attentionDelta",
  outputs: (inputs, { heads }) => {
    const grad = required({ name: "attentionDelta", inputs }, "grad");
    return [
      rowStatistics({
        groups: dimension(grad, 0) * heads,
        tqPad: 4 * Math.ceil(rows(grad) / dimension(grad, 0) / 4),
      }),
    ];
  },
  lower: (node, emit) => {
    const grad = required(node, "grad");
    const { heads } = node.attributes;
    const tq = rows(grad) / dimension(grad, 0);
    const count = dimension(grad, 0) * tq * heads;
    emit.call({
      kernel: attentionDelta,
      tensors: { o: required(node, "o"), grad, delta: output(node, 0) },
      parameters: { count, heads, d4: channels(grad) / heads / 4, tq, tqPad: 4 * Math.ceil(tq / 4) },
      workgroups: [Math.ceil(count / 64), 1, 1],
    });
  },
  cost: (node) => ({ kind: "other", flops: 2 * elementCount(required(node, "grad").shape) }),
});

/** Inputs q, kv?, lse, delta, grad, add?; output: the gradient of the part named in the attributes, plus `add`. */
export const attentionBackwardOp = defineOp<BackwardAttributes>({
  name: "attentionBackward",
  outputs: (inputs, { part }) => {
    const { shape } = required({ name: "attentionBackward", inputs }, part === "kv" ? "kv" : "q");
    return [{ shape, type: required({ name: "attentionBackward", inputs }, "grad").type }];
  },
  lower: (node, emit) => {
    const { part } = node.attributes;
    const gradient = output(node, 0);
    variant(node, emit).lowerBackward(node, emit, {
      lse: required(node, "lse"),
      delta: required(node, "delta"),
      grad: required(node, "grad"),
      dq: part === "kv" ? undefined : gradient,
      dkv: part === "q" ? undefined : gradient,
      add: node.inputs["add"],
    });
  },
  cost: (node) => ({ kind: "attention", flops: node.attributes.products * productFlops(geometryOf(node)) }),
});

/** The kernels that serve this shape on this adapter. */
function variant(node: AttentionNode, { policy }: Emitter) {
  const g = geometryOf(node);
  if (teams.fitsTeams(policy, g)) return teams;
  return lanes.fitsLanes(policy, g) ? lanes : portable;
}

function geometryOf(node: AttentionNode) {
  return attentionGeometry(node.name, node.inputs, node.attributes.heads);
}

/** One f32 per query and head. */
function rowStatistics({ groups, tqPad }: { groups: number; tqPad: number }): TensorSpec {
  return { shape: [groups, tqPad], type: "f32" };
}

function output(node: AttentionNode, index: number): Tensor {
  const tensor = node.outputs[index];
  invariant(tensor, () => `${node.name} has no output ${index}`);
  return tensor;
}

function single<A>(
  builder: GradientBuilder,
  op: Parameters<typeof builder.node<A>>[0],
  node: AttentionNode,
  inputs: Parameters<typeof builder.node<A>>[2],
  attributes: A,
): Tensor {
  const [result] = builder.node(op, `${node.name}/${op.name}`, inputs, attributes);
  invariant(result, () => `${op.name} has no output`);
  return result;
}
