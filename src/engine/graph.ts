/**
 * The graph builder: models are written as functions over it, once per shape; nothing is computed here.
 */
import { invariant } from "../base/errors";
import type { GraphNode, Inputs, OpDefinition } from "./op";
import { ParameterLayout } from "./parameters";
import {
  checkQuads,
  elementCount,
  type ActivationType,
  type FlatRole,
  type Tensor,
  type TensorRole,
  type TensorSpec,
  type TensorType,
  type WeightSpec,
} from "./tensor";

export interface GraphOptions {
  /** Storage of activations; sums are always f32. */
  readonly activationType: ActivationType;
  /** Share it between graphs whose LoRA lies in the same flat buffers (training and sampling with live weights). */
  readonly parameters?: ParameterLayout;
}

export class GraphBuilder {
  readonly activationType: ActivationType;
  readonly parameters: ParameterLayout;
  readonly nodes: GraphNode[] = [];
  readonly inputs: Tensor[] = [];
  readonly #weights = new Map<string, Tensor>();
  readonly #producers = new Map<number, GraphNode>();
  readonly #kept = new Set<number>();
  readonly #flat = new Map<string, Tensor>();
  #segment: string | undefined;
  #nextId = 0;
  /** Phase given to new nodes; autodiff and optimizers switch it. */
  phase: GraphNode["phase"] = "forward";

  constructor(options: GraphOptions) {
    this.activationType = options.activationType;
    this.parameters = options.parameters ?? new ParameterLayout();
  }

  get weights(): readonly Tensor[] {
    return [...this.#weights.values()];
  }

  /** Declares memory the host writes before a run. */
  input(name: string, shape: readonly number[], type: TensorType = "f32"): Tensor {
    const tensor = this.#tensor(name, { shape, type }, "input");
    this.inputs.push(tensor);
    return tensor;
  }

  /** Declares a frozen weight; asking twice for the same keys gives the same tensor. */
  weight(spec: WeightSpec): Tensor {
    const id = weightId(spec);
    const known = this.#weights.get(id);
    if (known) return known;
    const tensor: Tensor = {
      ...this.#tensor(id, { shape: spec.shape, type: "f32" }, "weight"),
      weight: spec,
    };
    this.#weights.set(id, tensor);
    return tensor;
  }

  /** Declares (or finds, when the layout is shared) a trainable tensor in the flat buffers. */
  parameter(name: string, shape: readonly number[]): Tensor {
    const offset = this.parameters.place(name, shape);
    return this.#flatTensor("parameter", name, shape, offset);
  }

  /** The slice of another flat buffer that belongs to a parameter. */
  slice(role: FlatRole, parameter: Tensor): Tensor {
    invariant(parameter.offset !== undefined, `${parameter.name} is not a parameter`);
    return this.#flatTensor(role, parameter.name, parameter.shape, parameter.offset);
  }

  /** A range of a flat buffer as one tensor, for optimizers. */
  flatRange(role: FlatRole, begin: number, end: number): Tensor {
    return this.#flatTensor(role, `${begin}..${end}`, [end - begin], begin);
  }

  /** Adds a node and gives its outputs. */
  node<A>(op: OpDefinition<A>, name: string, inputs: Inputs, attributes: A): readonly Tensor[] {
    const specs = op.outputs(inputs, attributes);
    const outputs = specs.map((spec, index) => {
      const outputName = specs.length === 1 ? name : `${name}#${index}`;
      checkQuads(outputName, spec);
      return this.#tensor(outputName, spec, "activation");
    });
    const node: GraphNode<A> = {
      index: this.nodes.length,
      op,
      name,
      inputs,
      attributes,
      outputs,
      segment: this.#segment,
      phase: this.phase,
    };
    // Ops are stored under the common interface; each node carries the attributes its own op declared.
    this.nodes.push(node as GraphNode);
    for (const output of outputs) this.#producers.set(output.id, node as GraphNode);
    return outputs;
  }

  /** Like {@link node} for ops with one output. */
  single<A>(op: OpDefinition<A>, name: string, inputs: Inputs, attributes: A): Tensor {
    const [output] = this.node(op, name, inputs, attributes);
    invariant(output, `${op.name} has no output`);
    return output;
  }

  /** Nodes added inside `build` form one recompute segment: the planner may drop and redo their activations. */
  segment<T>(name: string, build: () => T): T {
    const outer = this.#segment;
    this.#segment = name;
    try {
      return build();
    } finally {
      this.#segment = outer;
    }
  }

  producer(tensor: Tensor): GraphNode | undefined {
    return this.#producers.get(tensor.id);
  }

  /** Keeps an activation alive to the end of the run, so that it can be read back. */
  keep(tensor: Tensor): Tensor {
    this.#kept.add(tensor.id);
    return tensor;
  }

  isKept(tensor: Tensor): boolean {
    return this.#kept.has(tensor.id);
  }

  /** A temporary outside the graph's data flow; used by lowering. */
  scratch(name: string, spec: TensorSpec): Tensor {
    return this.#tensor(name, spec, "activation");
  }

  #flatTensor(role: FlatRole, name: string, shape: readonly number[], offset: number): Tensor {
    const key = `${role}:${offset}:${elementCount(shape)}`;
    const known = this.#flat.get(key);
    if (known) return known;
    const tensor: Tensor = { ...this.#tensor(`${role}(${name})`, { shape, type: "f32" }, role), offset };
    this.#flat.set(key, tensor);
    return tensor;
  }

  #tensor(name: string, spec: TensorSpec, role: TensorRole): Tensor {
    return { id: this.#nextId++, name, role, shape: spec.shape, type: spec.type };
  }
}

/** One weight in memory is known by the keys it was made of and by its layout. */
export function weightId(spec: WeightSpec): string {
  return `${spec.keys.join("+")}:${spec.layout}`;
}
