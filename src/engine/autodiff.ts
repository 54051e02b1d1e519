/**
 * Reverse mode, only where needed: gradients flow to parameters and to the activations on the way to them, never to
 * frozen weights. Forward values a gradient rule asks for are kept, or redone when they are cheap or their segment is
 * marked for recomputation.
 */
import { InternalError } from "../base/errors";
import type { GraphBuilder } from "./graph";
import type { GradientBuilder, GraphNode, Inputs, OpDefinition } from "./op";
import type { Tensor } from "./tensor";

export interface DifferentiateOptions {
  /** The per-step scalars input. */
  readonly scalars: Tensor;
  /** Nodes whose gradient rule starts the pass (losses). */
  readonly roots?: readonly GraphNode[];
  /** Or: gradients given from outside, for tests and for programs cut in two. */
  readonly seeds?: readonly { readonly of: Tensor; readonly gradient: Tensor }[];
  /** Inputs whose gradients are wanted besides those of parameters. */
  readonly withRespectTo?: readonly Tensor[];
  /** Segments whose activations are dropped and redone in the backward pass. */
  readonly recompute?: ReadonlySet<string>;
}

/**
 * Appends the backward pass to the graph.
 * @returns gradients of the `withRespectTo` tensors, by tensor id
 */
export function differentiate(
  graph: GraphBuilder,
  options: DifferentiateOptions,
): ReadonlyMap<number, Tensor> {
  const forward = [...graph.nodes];
  const pass = new ReversePass(graph, forward, options);
  graph.phase = "backward";
  for (const seed of options.seeds ?? []) pass.contribute(seed.of, () => seed.gradient);
  const roots = new Set(options.roots);
  for (const node of forward.reverse()) pass.visit(node, roots.has(node));
  return pass.gradients;
}

class ReversePass implements GradientBuilder {
  readonly gradients = new Map<number, Tensor>();
  readonly scalars: Tensor;
  readonly #graph: GraphBuilder;
  readonly #wanted: ReadonlySet<number>;
  readonly #recompute: ReadonlySet<string>;
  readonly #boundary: ReadonlySet<number>;
  readonly #redone = new Map<number, Tensor>();

  constructor(graph: GraphBuilder, forward: readonly GraphNode[], options: DifferentiateOptions) {
    this.#graph = graph;
    this.scalars = options.scalars;
    this.#recompute = options.recompute ?? new Set();
    this.#wanted = wantedTensors(forward, options.withRespectTo ?? []);
    this.#boundary = segmentBoundary(graph, forward);
  }

  visit(node: GraphNode, isRoot: boolean): void {
    const gradients = node.outputs.map((output) => this.gradients.get(output.id));
    if (!isRoot && gradients.every((gradient) => gradient === undefined)) return;
    const wantsAny = Object.values(node.inputs).some((input) => this.wants(input));
    if (wantsAny) node.op.vjp?.(node, gradients, this);
  }

  wants(tensor: Tensor | undefined): tensor is Tensor {
    return tensor !== undefined && (tensor.role === "parameter" || this.#wanted.has(tensor.id));
  }

  contribute(tensor: Tensor, build: (soFar: Tensor | undefined) => Tensor): void {
    if (!this.wants(tensor)) return;
    this.gradients.set(tensor.id, build(this.gradients.get(tensor.id)));
  }

  node<A>(op: OpDefinition<A>, name: string, inputs: Inputs, attributes: A): readonly Tensor[] {
    return this.#graph.node(op, `${name}/backward`, inputs, attributes);
  }

  gradientSlice(parameter: Tensor): Tensor {
    return this.#graph.slice("gradient", parameter);
  }

  value(tensor: Tensor): Tensor {
    const producer = this.#graph.producer(tensor);
    if (!producer || producer.phase !== "forward" || !this.#isDropped(tensor, producer)) return tensor;
    return this.#redone.get(tensor.id) ?? this.#redo(tensor, producer);
  }

  #isDropped(tensor: Tensor, producer: GraphNode): boolean {
    if (producer.op.cheap) return true;
    const inDroppedSegment = producer.segment !== undefined && this.#recompute.has(producer.segment);
    return inDroppedSegment && !this.#boundary.has(tensor.id);
  }

  #redo(tensor: Tensor, producer: GraphNode): Tensor {
    const inputs = Object.fromEntries(
      Object.entries(producer.inputs).map(([key, input]) => [key, input && this.value(input)]),
    );
    this.#graph.phase = "recompute";
    const copies = this.#graph.node(producer.op, `${producer.name}/again`, inputs, producer.attributes);
    this.#graph.phase = "backward";
    producer.outputs.forEach((output, index) => {
      const copy = copies[index];
      if (copy) this.#redone.set(output.id, copy);
    });
    const copy = this.#redone.get(tensor.id);
    if (!copy) throw new InternalError(`${producer.name} was redone without giving ${tensor.name}`);
    return copy;
  }
}

/** Activations that lie on a path from a parameter (or a wanted input) through differentiable ops. */
function wantedTensors(forward: readonly GraphNode[], withRespectTo: readonly Tensor[]): ReadonlySet<number> {
  const wanted = new Set(withRespectTo.map((tensor) => tensor.id));
  for (const node of forward) {
    if (!node.op.vjp) continue;
    const depends = Object.values(node.inputs).some(
      (input) => input && (input.role === "parameter" || wanted.has(input.id)),
    );
    if (depends) for (const output of node.outputs) wanted.add(output.id);
  }
  return wanted;
}

/** Tensors a segment hands to another one: kept even when the segment is redone. */
function segmentBoundary(graph: GraphBuilder, forward: readonly GraphNode[]): ReadonlySet<number> {
  const boundary = new Set<number>();
  for (const node of forward) {
    for (const input of Object.values(node.inputs)) {
      const producer = input && graph.producer(input);
      if (input && producer && producer.segment !== node.segment) boundary.add(input.id);
    }
  }
  return boundary;
}
