/** Two tensors side by side along the channels (skip connections), and the slice that undoes it. */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { concat as concatKernel } from "../kernels/concat";
import { sliceChannels as sliceKernel } from "../kernels/sliceChannels";
import { splitChannels as splitKernel } from "../kernels/splitChannels";
import { defineOp, required, type GradientBuilder } from "../op";
import { channels, elementCount, rows, type ActivationType, type Tensor } from "../tensor";
import { contributeSame } from "./add";
import { activationTypeOf, first, flatGroups } from "./support";

export interface ConcatAttributes {
  readonly type: ActivationType;
}

export interface SliceAttributes {
  /** First channel and number of channels, multiples of four. */
  readonly begin: number;
  readonly count: number;
  readonly type: ActivationType;
}

/** Adds [a | b] along the last dimension to the graph. */
export function concat(g: GraphBuilder, name: string, a: Tensor, b: Tensor): Tensor {
  return g.single(concatOp, name, { a, b }, { type: g.activationType });
}

/** Adds channels `begin` … `begin + count − 1` of x to the graph. */
export function sliceChannels(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  begin: number,
  count: number,
): Tensor {
  return g.single(sliceChannelsOp, name, { x }, { begin, count, type: g.activationType });
}

export const concatOp = defineOp<ConcatAttributes>({
  name: "concat",
  cheap: true,
  outputs: (inputs, { type }) => {
    const a = required({ name: "concat", inputs }, "a");
    const b = required({ name: "concat", inputs }, "b");
    invariant(rows(a) === rows(b), () => `concat: [${a.shape.join()}] beside [${b.shape.join()}]`);
    return [{ shape: [...a.shape.slice(0, -1), channels(a) + channels(b)], type }];
  },
  lower: (node, emit) => {
    const a = required(node, "a");
    const b = required(node, "b");
    const y = first(node.outputs);
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel: concatKernel,
      tensors: { a, b, y },
      parameters: { count, widthA: channels(a) / 4, widthB: channels(b) / 4 },
      workgroups: flatGroups(count),
      flops: 4 * count,
    });
  },
  cost: () => ({ kind: "other", flops: 0 }),
  vjp: (node, [gradient], builder) => {
    if (!gradient) return;
    const a = required(node, "a");
    const b = required(node, "b");
    if (builder.wants(a) && builder.wants(b)) return contributeBoth(builder, node.name, [a, b], gradient);
    contributeSlice(builder, `${node.name}.a`, a, gradient, 0);
    contributeSlice(builder, `${node.name}.b`, b, gradient, channels(a));
  },
});

/** Both halves in one dispatch; what was collected for the second one is added apart, which skips never need. */
function contributeBoth(
  builder: GradientBuilder,
  name: string,
  [a, b]: readonly [Tensor, Tensor],
  x: Tensor,
): void {
  const attributes = { width: channels(a), typeA: activationTypeOf(a), typeB: activationTypeOf(b) };
  let second: Tensor | undefined;
  builder.contribute(a, (soFar) => {
    const [partA, partB] = builder.node(splitChannelsOp, name, { x, ...(soFar && { soFar }) }, attributes);
    invariant(partA && partB, "splitChannels has two outputs");
    second = partB;
    return partA;
  });
  invariant(second, "the first half was built");
  contributeSame(builder, name, b, second);
}

interface SplitAttributes {
  /** Channels of the first part. */
  readonly width: number;
  readonly typeA: ActivationType;
  readonly typeB: ActivationType;
}

/** Inputs x, soFar?; outputs the first `width` channels plus soFar, and the rest. Only used on gradients. */
export const splitChannelsOp = defineOp<SplitAttributes>({
  name: "splitChannels",
  outputs: (inputs, { width, typeA, typeB }) => {
    const { shape } = required({ name: "splitChannels", inputs }, "x");
    const outer = shape.slice(0, -1);
    return [
      { shape: [...outer, width], type: typeA },
      { shape: [...outer, (shape.at(-1) ?? 0) - width], type: typeB },
    ];
  },
  lower: (node, emit) => {
    const [a, b] = node.outputs;
    invariant(a && b, "splitChannels has two outputs");
    const count = elementCount(required(node, "x").shape) / 4;
    emit.call({
      kernel: splitKernel,
      tensors: { ...node.inputs, a, b },
      parameters: { count, widthA: channels(a) / 4, widthB: channels(b) / 4 },
      workgroups: flatGroups(count),
      flops: 4 * count,
    });
  },
  cost: () => ({ kind: "other", flops: 0 }),
});

function contributeSlice(
  builder: GradientBuilder,
  name: string,
  target: Tensor,
  x: Tensor,
  begin: number,
): void {
  builder.contribute(target, (soFar) => {
    const attributes = { begin, count: channels(target), type: activationTypeOf(target) };
    return first(builder.node(sliceChannelsOp, name, { x, ...(soFar && { soFar }) }, attributes));
  });
}

/** Inputs x, soFar?; output the slice of x, plus soFar. Only used on gradients and frozen values: it has no rule of its own. */
export const sliceChannelsOp = defineOp<SliceAttributes>({
  name: "sliceChannels",
  cheap: true,
  outputs: (inputs, { begin, count, type }) => {
    const x = required({ name: "sliceChannels", inputs }, "x");
    invariant(
      begin % 4 === 0 && begin + count <= channels(x),
      () => `sliceChannels: ${begin} + ${count} of [${x.shape.join()}]`,
    );
    return [{ shape: [...x.shape.slice(0, -1), count], type }];
  },
  lower: (node, emit) => {
    const x = required(node, "x");
    const y = first(node.outputs);
    const count = elementCount(y.shape) / 4;
    emit.call({
      kernel: sliceKernel,
      tensors: { ...node.inputs, y },
      parameters: {
        count,
        width: channels(y) / 4,
        stride: channels(x) / 4,
        offset: node.attributes.begin / 4,
      },
      workgroups: flatGroups(count),
      flops: 4 * count,
    });
  },
  cost: () => ({ kind: "other", flops: 0 }),
});
