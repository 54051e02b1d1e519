/**
 * Linear layers: y = x·Wᵀ + bias + scale·(x·downᵀ)·upᵀ + rowVector + residual, one matmul and, with a LoRA,
 * one skinny matmul before it for h = x·downᵀ. A 1×1 convolution is the same thing.
 *
 * Gradients flow to x, to the residual and to the LoRA matrices; W, bias and rowVector are frozen.
 */
import { InternalError, invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { linear as lanes } from "../kernels/linear";
import { linearTiled } from "../kernels/linearTiled";
import {
  defineOp,
  required,
  type Cost,
  type Emitter,
  type GradientBuilder,
  type GraphNode,
  type Inputs,
} from "../op";
import {
  channels,
  dimension,
  elementCount,
  rows,
  type ActivationType,
  type Tensor,
  type TensorSpec,
} from "../tensor";
import { activation as activate, type ActivationKind } from "./activation";
import { contributeSame } from "./add";
import { emitMatmul, matmulVariant, rowVectorParameters, type MatmulEpilogue } from "./linear/variants";
import { linearBackwardOp, loraFactors, loraGradientOp, loraHiddenGradientOp } from "./linearGradients";
import { activationTypeOf, first } from "./support";

/** The trainable low-rank pair beside a frozen weight. */
export interface LoraOperand {
  /** Parameter [parts·r, K], r a multiple of four. */
  readonly down: Tensor;
  /** Parameter [N, r]. */
  readonly up: Tensor;
  /** alpha / rank, times a strength. */
  readonly scale: number;
  /** Modules stacked along the outputs (q, k, v), each with its own r rows of `down`; default 1. */
  readonly parts?: number;
}

export interface LinearOptions {
  /** [N] */
  readonly bias?: Tensor;
  readonly lora?: LoraOperand;
  /** Added to the result, same shape. */
  readonly residual?: Tensor;
  /** [images, N]: added to every row of an image; never gets a gradient. */
  readonly rowVector?: Tensor;
  /** Applied to the result by a node of its own, so that few matmul variants have to be compiled. */
  readonly activation?: ActivationKind;
}

export interface LinearAttributes {
  readonly type: ActivationType;
  /** 0 without a LoRA. */
  readonly loraScale: number;
  readonly parts: number;
}

/** Adds a linear layer to the graph: x [..., K], weight [N, K] of layout `matrix`; gives [..., N]. */
export function linear(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  weight: Tensor,
  options: LinearOptions = {},
): Tensor {
  const { bias, lora, residual, rowVector, activation } = options;
  const inputs = {
    x,
    w: weight,
    ...(bias && { bias }),
    ...(lora && { down: lora.down, up: lora.up }),
    ...(residual && { residual }),
    ...(rowVector && { rowVector }),
  };
  const attributes = { type: g.activationType, loraScale: lora?.scale ?? 0, parts: lora?.parts ?? 1 };
  const y = first(g.node(linearOp, name, inputs, attributes));
  return activation ? activate(g, `${name}.${activation}`, y, activation) : y;
}

/** Inputs x, w, and optionally bias, down with up, residual, rowVector. Outputs y and, with a LoRA, h (always f32). */
export const linearOp = defineOp<LinearAttributes>({
  name: "linear",
  outputs: outputSpecs,
  lower: lowerForward,
  cost,
  vjp: (node, [gradient], builder) => {
    if (!gradient) return;
    if (builder.wants(node.inputs["rowVector"]))
      throw new InternalError(`${node.name}: no gradient rule for the per-image vector`);
    const { residual } = node.inputs;
    if (residual) contributeSame(builder, `${node.name}.residual`, residual, gradient);
    const dh = contributeToLora(node, gradient, builder);
    contributeToInput(node, gradient, dh, builder);
  },
});

/** @returns the gradient at h, for the input's gradient; undefined without a LoRA */
function contributeToLora(
  node: GraphNode<LinearAttributes>,
  g: Tensor,
  builder: GradientBuilder,
): Tensor | undefined {
  const { down, up } = node.inputs;
  const h = node.outputs[1];
  if (!down || !up || !h) return undefined;
  const factors = { loraScale: node.attributes.loraScale, parts: node.attributes.parts };
  const dh = first(builder.node(loraHiddenGradientOp, `${node.name}.h`, { g, up }, factors));
  builder.node(
    loraGradientOp,
    `${node.name}.lora`,
    {
      x: builder.value(required(node, "x")),
      g,
      h: builder.value(h),
      dh,
      scalars: builder.scalars,
      downGradient: builder.gradientSlice(down),
      upGradient: builder.gradientSlice(up),
    },
    factors,
  );
  return dh;
}

function contributeToInput(
  node: GraphNode<LinearAttributes>,
  g: Tensor,
  dh: Tensor | undefined,
  builder: GradientBuilder,
): void {
  const x = required(node, "x");
  const { down } = node.inputs;
  builder.contribute(x, (soFar) => {
    const inputs = { g, w: required(node, "w"), ...(dh && down && { dh, down }), ...(soFar && { soFar }) };
    return first(
      builder.node(linearBackwardOp, node.name, inputs, { shape: x.shape, type: activationTypeOf(x) }),
    );
  });
}

function outputSpecs(inputs: Inputs, attributes: LinearAttributes): readonly TensorSpec[] {
  const x = required({ name: "linear", inputs }, "x");
  const w = required({ name: "linear", inputs }, "w");
  const { bias, down, up, residual, rowVector } = inputs;
  const N = dimension(w, 0);
  invariant(
    channels(w) === channels(x),
    () => `linear: input [${x.shape.join()}], weight [${w.shape.join()}]`,
  );
  invariant(!bias || channels(bias) === N, "linear: bias does not fit");
  invariant(!residual || elementCount(residual.shape) === rows(x) * N, "linear: residual does not fit");
  invariant(
    !rowVector || (channels(rowVector) === N && rows(x) % rows(rowVector) === 0),
    "linear: rowVector does not fit",
  );
  const leading = x.shape.slice(0, -1);
  const y: TensorSpec = { shape: [...leading, N], type: attributes.type };
  if (!down || !up) return [y];
  checkLora(x, N, down, up, attributes.parts);
  return [y, { shape: [...leading, dimension(down, 0)], type: "f32" }];
}

function checkLora(x: Tensor, N: number, down: Tensor, up: Tensor, parts: number): void {
  const rank = channels(up);
  invariant(
    channels(down) === channels(x) && dimension(down, 0) === parts * rank,
    () => `linear: LoRA down [${down.shape.join()}] does not fit`,
  );
  invariant(
    dimension(up, 0) === N && rank % 4 === 0,
    () => `linear: LoRA up [${up.shape.join()}] does not fit`,
  );
  invariant(N % (4 * parts) === 0, () => `linear: ${N} outputs in ${parts} parts`);
}

function lowerForward(node: GraphNode<LinearAttributes>, emit: Emitter): void {
  const x = required(node, "x");
  const w = required(node, "w");
  const { down, up, bias, residual, rowVector } = node.inputs;
  const y = first(node.outputs);
  const h = node.outputs[1];
  if (down && h) emitForward(emit, { x, w: down, y: h, epilogue: {}, label: `${node.name}.h`, parts: 1 });
  const { loraScale, parts } = node.attributes;
  const lora = up && h && { up, h, scale: loraScale };
  emitForward(emit, {
    x,
    w,
    y,
    epilogue: { bias, residual, rowVector },
    label: node.name,
    parts,
    ...(lora && { lora }),
  });
}

interface ForwardCall {
  readonly x: Tensor;
  readonly w: Tensor;
  readonly y: Tensor;
  readonly epilogue: MatmulEpilogue;
  readonly label: string;
  readonly parts: number;
  readonly lora?: { readonly h: Tensor; readonly up: Tensor; readonly scale: number };
}

/** y = x·wᵀ + scale·h·upᵀ + epilogue. */
function emitForward(emit: Emitter, { x, w, y, epilogue, label, parts, lora }: ForwardCall): void {
  const M = rows(x);
  const K = channels(x);
  const N = channels(y);
  const rank = lora ? channels(lora.up) : 0;
  const variant = matmulVariant(
    emit.policy,
    { M, contraction: K, columns: N, parts },
    { lanes, tiled: linearTiled },
  );
  const parameters = {
    M,
    n4: N / 4,
    k4: K / 4,
    partN4: N / 4 / parts,
    r4: rank / 4,
    hStride: (parts * rank) / 4,
    loraScale: lora?.scale ?? 0,
    ...rowVectorParameters(epilogue.rowVector, M),
  };
  const operands = { x, w, ...(lora && { h: lora.h, up: lora.up }) };
  emitMatmul(emit, variant, {
    operands,
    epilogue,
    result: { y },
    parameters,
    flops: 2 * M * N * (K + rank),
    label,
  });
}

function cost(node: GraphNode<LinearAttributes>): Cost {
  const x = required(node, "x");
  const N = dimension(required(node, "w"), 0);
  const flops = 2 * elementCount(x.shape) * N;
  const { up } = node.inputs;
  return up
    ? { kind: "linear", flops, loraFlops: loraFactors(rows(x), channels(x), up, node.attributes.parts) }
    : { kind: "linear", flops };
}
