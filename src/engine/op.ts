/**
 * What an operation is: its shapes, its kernels, its gradient, its cost and its float64 reference, in one file each.
 *
 * To add one: a file in `ops/` that calls {@link defineOp}, its kernels in `kernels/`, and one line in `ops/index.ts`.
 */
import { InternalError } from "../base/errors";
import type { KernelDefinition } from "./kernels/kernel";
import type { KernelPolicy } from "./policy";
import type { Tensor, TensorSpec } from "./tensor";

/** Named inputs of a node; an absent optional input is simply not there. */
export type Inputs = Readonly<Record<string, Tensor | undefined>>;

export type FlopKind = "conv" | "linear" | "attention" | "lora" | "other";

export interface Cost {
  readonly kind: FlopKind;
  /** Useful floating-point operations (1 multiply-add = 2); work repeated for speed or memory is not counted. */
  readonly flops: number;
  /** LoRA work done inside the same kernels, counted under `lora`. */
  readonly loraFlops?: number;
}

export interface GraphNode<A = unknown> {
  readonly index: number;
  readonly op: OpDefinition<A>;
  readonly name: string;
  readonly inputs: Inputs;
  readonly attributes: A;
  readonly outputs: readonly Tensor[];
  /** Recompute segment this node belongs to, when the model declared one. */
  readonly segment: string | undefined;
  readonly phase: "forward" | "recompute" | "backward" | "update";
}

/** One dispatch before it has memory. */
export interface KernelCall {
  readonly kernel: KernelDefinition;
  /** By binding name. */
  readonly tensors: Inputs;
  /** Baked into the shader text; every distinct set is one pipeline, so never put shapes here. */
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** Written to the uniform slot of this call. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Workgroups per dimension; an x above 65 535 with y = 1 is folded into y by the program. */
  readonly workgroups: readonly [number, number, number];
  readonly label: string;
  /** Rough work, for splitting submissions. */
  readonly flops: number;
}

/** Handed to `lower`: records dispatches in order. */
export interface Emitter {
  readonly policy: KernelPolicy;
  call(
    call: Omit<KernelCall, "constants" | "label" | "flops" | "parameters"> &
      Partial<Pick<KernelCall, "constants" | "label" | "flops" | "parameters">>,
  ): void;
  /** A temporary that lives inside this node only. */
  scratch(shape: readonly number[], type?: "f32" | "u32"): Tensor;
}

/** Handed to `vjp`. */
export interface GradientBuilder {
  /** The tensor to read a forward value from: itself when saved, a recomputed copy otherwise. */
  value(tensor: Tensor): Tensor;
  /** True when a gradient for this forward tensor is wanted at all. */
  wants(tensor: Tensor | undefined): tensor is Tensor;
  /**
   * Adds to the gradient of a forward tensor. `build` gets what has been collected so far and must return the sum, so
   * kernels with an accumulate epilogue add for free.
   */
  contribute(tensor: Tensor, build: (soFar: Tensor | undefined) => Tensor): void;
  /** Adds a node to the backward pass. */
  node<A>(op: OpDefinition<A>, name: string, inputs: Inputs, attributes: A): readonly Tensor[];
  /** The gradient slice of a parameter tensor. */
  gradientSlice(parameter: Tensor): Tensor;
  /** The input that holds the per-step scalars; see `stepScalars.ts`. */
  readonly scalars: Tensor;
}

export interface OpDefinition<A = unknown> {
  readonly name: string;
  /** Shapes and types of the outputs. Throws InternalError on shapes that do not fit. */
  readonly outputs: (inputs: Inputs, attributes: A) => readonly TensorSpec[];
  readonly lower: (node: GraphNode<A>, emit: Emitter) => void;
  readonly cost: (node: GraphNode<A>) => Cost;
  /**
   * Reverse rule. `gradients[i]` is the gradient of output i, undefined when nobody asked for it.
   * Absent: the op is not differentiable (its inputs get no gradient).
   */
  readonly vjp?: (
    node: GraphNode<A>,
    gradients: readonly (Tensor | undefined)[],
    builder: GradientBuilder,
  ) => void;
  /** Cheap to redo from saved inputs, so its outputs are recomputed in the backward pass instead of kept. */
  readonly cheap?: boolean;
}

/** Identity with inference: keeps the attribute type while registering under the common interface. */
export function defineOp<A>(definition: OpDefinition<A>): OpDefinition<A> {
  return definition;
}

/** The named input; a missing one is a bug of the op that asks. */
export function required(node: { name: string; inputs: Inputs }, key: string): Tensor {
  const tensor = node.inputs[key];
  if (!tensor) throw new InternalError(`${node.name} lacks its input "${key}"`);
  return tensor;
}
