/**
 * 3×3 convolution, channels last: stride 1, stride 2 with either padding, and nearest upsampling fused in front.
 *
 * Differentiable with respect to its input, its residual and the per-image vector; weights and bias are frozen.
 */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../graph";
import { conv3x3 as forwardKernel } from "../kernels/conv3x3";
import { conv3x3Backward as backwardKernel } from "../kernels/conv3x3Backward";
import { conv3x3BackwardTiled } from "../kernels/conv3x3BackwardTiled";
import { conv3x3Tiled } from "../kernels/conv3x3Tiled";
import { laneConstants, laneGrid, laneTile, type LaneTile } from "../kernels/laneTile";
import {
  defineOp,
  required,
  type Emitter,
  type GradientBuilder,
  type GraphNode,
  type Inputs,
  type KernelCall,
} from "../op";
import type { KernelPolicy } from "../policy";
import { channels, dimension, elementCount, type ActivationType, type Tensor } from "../tensor";
import { contributeSame } from "./add";
import { contributeImageSums } from "./imageSums";
import { activationTypeOf, first } from "./support";

export interface ConvOptions {
  /** Weight of layout `conv3x3`, [Co, 9, Ci]. */
  readonly weight: Tensor;
  /** [Co] */
  readonly bias?: Tensor;
  /** Added to the result, same shape. */
  readonly residual?: Tensor;
  /** [images, ≥ Co]: channels added to every pixel of an image (time embedding). */
  readonly rowVector?: Tensor;
  /** First channel of `rowVector` to use, a multiple of four; default 0. */
  readonly rowOffset?: number;
  readonly stride?: 1 | 2;
  /** `same`: one pixel all around. `end`: one row below and one column right only (the VAE's stride 2). */
  readonly padding?: "same" | "end";
  /** Height and width to stretch the input to (nearest neighbour) before the convolution. */
  readonly upsampleTo?: readonly [number, number];
}

export interface ConvAttributes {
  readonly stride: 1 | 2;
  readonly padding: "same" | "end";
  readonly upsampleTo?: readonly [number, number];
  readonly rowOffset: number;
  readonly type: ActivationType;
}

/** Adds a convolution of x [B, H, W, Ci] to the graph; gives [B, outH, outW, Co]. */
export function conv3x3(g: GraphBuilder, name: string, x: Tensor, options: ConvOptions): Tensor {
  const {
    weight,
    bias,
    residual,
    rowVector,
    stride = 1,
    padding = "same",
    upsampleTo,
    rowOffset = 0,
  } = options;
  const inputs = {
    x,
    w: weight,
    ...(bias && { bias }),
    ...(residual && { residual }),
    ...(rowVector && { rowVector }),
  };
  const attributes = {
    stride,
    padding,
    rowOffset,
    type: g.activationType,
    ...(upsampleTo && { upsampleTo }),
  };
  return g.single(conv3x3Op, name, inputs, attributes);
}

/** Inputs x, w, and optionally bias, residual, rowVector. */
export const conv3x3Op = defineOp<ConvAttributes>({
  name: "conv3x3",
  outputs: (inputs, attributes) => {
    const g = geometryOf("conv3x3", inputs, attributes);
    checkOptional(inputs, g);
    return [{ shape: [g.images, g.outH, g.outW, g.co], type: attributes.type }];
  },
  lower: lowerForward,
  cost: (node) => ({ kind: "conv", flops: flopsOf(geometryOf(node.name, node.inputs, node.attributes)) }),
  vjp: (node, [gradient], builder) => {
    if (!gradient) return;
    const { rowVector } = node.inputs;
    if (rowVector) contributeImageSums(builder, node.name, rowVector, gradient, node.attributes.rowOffset);
    contributeToInput(node, gradient, builder);
    contributeToResidual(node, gradient, builder);
  },
});

function contributeToInput(node: GraphNode<ConvAttributes>, g: Tensor, builder: GradientBuilder): void {
  const x = required(node, "x");
  builder.contribute(x, (soFar) => {
    const inputs = { g, w: required(node, "w"), ...(soFar && { soFar }) };
    return first(
      builder.node(conv3x3BackwardOp, node.name, inputs, {
        ...node.attributes,
        inputShape: x.shape,
        inputType: activationTypeOf(x),
      }),
    );
  });
}

function contributeToResidual(
  node: GraphNode<ConvAttributes>,
  gradient: Tensor,
  builder: GradientBuilder,
): void {
  const { residual } = node.inputs;
  if (residual) contributeSame(builder, `${node.name}.residual`, residual, gradient);
}

interface ConvBackwardAttributes extends ConvAttributes {
  readonly inputShape: readonly number[];
  readonly inputType: ActivationType;
}

/** Inputs g (gradient of the output), w, optionally soFar (added); output: the gradient of x. */
export const conv3x3BackwardOp = defineOp<ConvBackwardAttributes>({
  name: "conv3x3Backward",
  outputs: (_, { inputShape, inputType }) => [{ shape: inputShape, type: inputType }],
  lower: lowerBackward,
  cost: (node) => ({ kind: "conv", flops: flopsOf(backwardGeometry(node)) }),
});

interface ConvGeometry {
  readonly images: number;
  readonly h: number;
  readonly w: number;
  /** Size of the grid the taps move over: the input, stretched when upsampling. */
  readonly gridH: number;
  readonly gridW: number;
  readonly outH: number;
  readonly outW: number;
  readonly ci: number;
  readonly co: number;
  readonly stride: number;
  /** Padding rows above and columns left. */
  readonly pad: number;
  readonly upsample: boolean;
}

function geometryOf(name: string, inputs: Inputs, attributes: ConvAttributes): ConvGeometry {
  const x = required({ name, inputs }, "x");
  return geometryFor(name, x.shape, required({ name, inputs }, "w"), attributes);
}

function backwardGeometry(node: GraphNode<ConvBackwardAttributes>): ConvGeometry {
  return geometryFor(node.name, node.attributes.inputShape, required(node, "w"), node.attributes);
}

function geometryFor(
  name: string,
  inputShape: readonly number[],
  weight: Tensor,
  attributes: ConvAttributes,
): ConvGeometry {
  const { stride, padding, upsampleTo } = attributes;
  const [images = 0, h = 0, w = 0, ci = 0] = inputShape;
  const [co = 0, taps, inner] = weight.shape;
  invariant(
    inputShape.length === 4 && taps === 9 && inner === ci,
    () => `${name}: input [${inputShape.join()}], weight [${weight.shape.join()}]`,
  );
  invariant(!upsampleTo || stride === 1, () => `${name}: upsampling goes with stride 1`);
  invariant(padding === "same" || stride === 2, () => `${name}: padding at the end goes with stride 2`);
  const [gridH, gridW] = upsampleTo ?? [h, w];
  const pad = padding === "same" ? 1 : 0;
  const outSize = (size: number) => Math.floor((size + pad - 2) / stride) + 1;
  return {
    images,
    h,
    w,
    gridH,
    gridW,
    outH: outSize(gridH),
    outW: outSize(gridW),
    ci,
    co,
    stride,
    pad,
    upsample: upsampleTo !== undefined,
  };
}

function checkOptional(inputs: Inputs, g: ConvGeometry): void {
  const { bias, residual, rowVector } = inputs;
  invariant(!bias || channels(bias) === g.co, "conv3x3: bias does not fit");
  invariant(
    !residual || elementCount(residual.shape) === g.images * g.outH * g.outW * g.co,
    "conv3x3: residual does not fit",
  );
  invariant(
    !rowVector || (dimension(rowVector, 0) === g.images && channels(rowVector) >= g.co),
    "conv3x3: rowVector does not fit",
  );
}

function flopsOf(g: ConvGeometry): number {
  return 2 * g.co * g.ci * 9 * g.images * g.outH * g.outW;
}

function lowerForward(node: GraphNode<ConvAttributes>, emit: Emitter): void {
  const g = geometryOf(node.name, node.inputs, node.attributes);
  const { images, h, w, gridH, gridW, outH, outW, stride, pad } = g;
  const pixels = images * outH * outW;
  const { rowVector } = node.inputs;
  const rowStride = rowVector ? channels(rowVector) / 4 : 0;
  const { tileRows, ...variant } = forwardVariant(emit.policy, g, pixels);
  emit.call({
    ...variant,
    tensors: { ...node.inputs, y: first(node.outputs) },
    parameters: {
      pixels,
      h,
      w,
      gridH,
      gridW,
      outH,
      outW,
      ci4: g.ci / 4,
      co4: g.co / 4,
      stride,
      pad,
      rowStride,
      rowOffset: node.attributes.rowOffset / 4,
      tileRows,
    },
    flops: flopsOf(g),
  });
}

function lowerBackward(node: GraphNode<ConvBackwardAttributes>, emit: Emitter): void {
  const g = backwardGeometry(node);
  const { images, h, w, outH, outW, stride, pad } = g;
  const classPixels = images * Math.ceil(h / stride) * Math.ceil(w / stride);
  const { tileRows, ...variant } = backwardVariant(emit.policy, g, classPixels);
  emit.call({
    ...variant,
    tensors: { ...node.inputs, dx: first(node.outputs) },
    parameters: { images, h, w, outH, outW, ci4: g.ci / 4, co4: g.co / 4, stride, pad, tileRows },
    flops: flopsOf(g),
  });
}

type Variant = Pick<KernelCall, "kernel" | "constants" | "workgroups"> & {
  /** Pixels that one thread (or the whole workgroup's tile) gives. */
  readonly tileRows: number;
};

/** Pixels and channels of a tile in workgroup memory. */
const TILE = 64;
/** Below this many channels on either side most of a tile would be empty (first and last convolutions). */
const TILED_CHANNELS = 16;

function suitsTiles(policy: KernelPolicy, g: ConvGeometry): boolean {
  return policy.sharedMemory && g.ci >= TILED_CHANNELS && g.co >= TILED_CHANNELS;
}

/**
 * Whether results are stored in a loop. On llvmpipe (8 lanes) the unrolled stores take most of the time to compile; on
 * SwiftShader the loop would halve the speed.
 */
function isRolled({ LANES }: LaneTile): boolean {
  return LANES === 8;
}

function forwardVariant(policy: KernelPolicy, g: ConvGeometry, pixels: number): Variant {
  const UPSAMPLE = g.upsample;
  if (suitsTiles(policy, g)) {
    return {
      kernel: conv3x3Tiled,
      constants: { UPSAMPLE },
      workgroups: [Math.ceil(g.co / TILE), Math.ceil(pixels / TILE), 1],
      tileRows: TILE,
    };
  }
  const tile = laneTile(policy, g.co / 4);
  return {
    kernel: forwardKernel(tile),
    constants: { UPSAMPLE, ROLLED: isRolled(tile), ...laneConstants(tile) },
    workgroups: [...laneGrid(tile, pixels, g.co / 4), 1],
    tileRows: tile.OWN * tile.LANES,
  };
}

function backwardVariant(policy: KernelPolicy, g: ConvGeometry, classPixels: number): Variant {
  const UPSAMPLE = g.upsample;
  const classes = g.stride ** 2;
  if (suitsTiles(policy, g)) {
    return {
      kernel: conv3x3BackwardTiled,
      constants: { UPSAMPLE },
      workgroups: [Math.ceil(g.ci / TILE), Math.ceil(classPixels / TILE), classes],
      tileRows: TILE,
    };
  }
  const tile = laneTile(policy, g.ci / 4);
  return {
    kernel: backwardKernel(tile),
    constants: { UPSAMPLE, ROLLED: isRolled(tile), ...laneConstants(tile) },
    workgroups: [...laneGrid(tile, classPixels, g.ci / 4), classes],
    tileRows: tile.OWN * tile.LANES,
  };
}
