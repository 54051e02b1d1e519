/** The backward ops of `linear`: the input's gradient, the gradient at h = x·downᵀ, and the LoRA matrices' gradients. */
import { linearBackward } from "../kernels/linearBackward";
import { loraGradient, loraGradientGrid } from "../kernels/loraGradient";
import { loraHiddenGradient, loraHiddenGrid } from "../kernels/loraHiddenGradient";
import { matmulGrid } from "../kernels/matmulTile";
import { defineOp, required, type Emitter, type GraphNode } from "../op";
import { channels, dimension, rows, type ActivationType, type Tensor } from "../tensor";
import { first } from "./support";

export interface LinearBackwardAttributes {
  /** Shape and storage of the input whose gradient this is. */
  readonly shape: readonly number[];
  readonly type: ActivationType;
}

/** Inputs g, w, and optionally dh with down, soFar; output dx = g·w + dh·down + soFar. */
export const linearBackwardOp = defineOp<LinearBackwardAttributes>({
  name: "linearBackward",
  outputs: (_, { shape, type }) => [{ shape, type }],
  lower: lowerInputGradient,
  cost: (node) => {
    const g = required(node, "g");
    const K = channels(first(node.outputs));
    const { dh } = node.inputs;
    const flops = 2 * rows(g) * channels(g) * K;
    return dh ? { kind: "linear", flops, loraFlops: 2 * rows(g) * channels(dh) * K } : { kind: "linear", flops };
  },
});

function lowerInputGradient(node: GraphNode<LinearBackwardAttributes>, emit: Emitter): void {
  const dx = first(node.outputs);
  const g = required(node, "g");
  const { dh } = node.inputs;
  const M = rows(g);
  const N = channels(g);
  const K = channels(dx);
  const hidden = dh ? channels(dh) : 0;
  emit.call({
    kernel: linearBackward,
    tensors: { ...node.inputs, dx },
    parameters: { M, n4: N / 4, k4: K / 4, r4: hidden / 4 },
    workgroups: matmulGrid(M, K),
    flops: 2 * M * K * (N + hidden),
  });
}

export interface LoraAttributes {
  readonly loraScale: number;
  readonly parts: number;
}

/** Inputs g [..., N], up [N, r]; output dh [..., parts·r] = scale·g·up, part by part; f32. */
export const loraHiddenGradientOp = defineOp<LoraAttributes>({
  name: "loraHiddenGradient",
  outputs: (inputs, { parts }) => {
    const g = required({ name: "loraHiddenGradient", inputs }, "g");
    const up = required({ name: "loraHiddenGradient", inputs }, "up");
    return [{ shape: [...g.shape.slice(0, -1), parts * channels(up)], type: "f32" }];
  },
  lower: (node, emit) => {
    const g = required(node, "g");
    const up = required(node, "up");
    const { parts, loraScale } = node.attributes;
    emit.call({
      kernel: loraHiddenGradient,
      tensors: { g, up, dh: first(node.outputs) },
      parameters: { M: rows(g), partN4: channels(g) / parts / 4, r4: channels(up) / 4, parts, loraScale },
      workgroups: loraHiddenGrid(rows(g), parts * channels(up)),
      flops: 2 * rows(g) * channels(g) * channels(up),
    });
  },
  cost: (node) => {
    const g = required(node, "g");
    return { kind: "lora", flops: 2 * rows(g) * channels(g) * channels(required(node, "up")) };
  },
});

/** Inputs x, g, h, dh, scalars; writes the flat slices downGradient [parts·r, K] and upGradient [N, r]; no outputs. */
export const loraGradientOp = defineOp<LoraAttributes>({
  name: "loraGradient",
  outputs: () => [],
  lower: lowerLoraGradient,
  cost: (node) => ({ kind: "lora", flops: loraGradientFlops(node) }),
});

function lowerLoraGradient(node: GraphNode<LoraAttributes>, emit: Emitter): void {
  const x = required(node, "x");
  const hidden = channels(required(node, "h"));
  const { parts, loraScale } = node.attributes;
  const partN = channels(required(node, "g")) / parts;
  emit.call({
    kernel: loraGradient,
    tensors: node.inputs,
    parameters: { M: rows(x), k4: channels(x) / 4, partN4: partN / 4, r4: hidden / parts / 4, parts, loraScale },
    workgroups: loraGradientGrid(channels(x), partN, hidden),
    flops: loraGradientFlops(node),
  });
}

function loraGradientFlops(node: GraphNode<LoraAttributes>): number {
  const x = required(node, "x");
  return loraFactors(rows(x), channels(x), required(node, "upGradient"), node.attributes.parts);
}

/** Multiply-adds ×2 of both low-rank products over M rows: x·downᵀ and h·upᵀ, or their transposed twins. */
export function loraFactors(M: number, K: number, up: Tensor, parts: number): number {
  return 2 * M * channels(up) * (parts * K + dimension(up, 0));
}
