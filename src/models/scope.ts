/**
 * Checkpoint keys as a path: `scope.at("transformer_blocks").at(0).at("attn1")` names weights as the file does, so a
 * model reads like its key list.
 */
import type { GraphBuilder } from "../engine/graph";
import { linear, type LinearOptions } from "../engine/ops/linear";
import type { Tensor, WeightPrecision, WeightSpec } from "../engine/tensor";
import { stackedPath, type LoraBinding } from "./lora/binding";

export interface LinearModuleOptions extends Omit<LinearOptions, "bias" | "lora"> {
  /** Whether the file has a bias beside the weight; default true. */
  readonly bias?: boolean;
}

/** Highest first. */
const PRECISIONS: readonly WeightPrecision[] = ["exact", "careful", "usual", "sturdy"];

export class ModelScope {
  readonly graph: GraphBuilder;
  readonly prefix: string;
  readonly #lora: LoraBinding | undefined;
  readonly #precision: WeightPrecision;

  constructor(
    graph: GraphBuilder,
    prefix: string,
    lora: LoraBinding | undefined,
    precision: WeightPrecision = "sturdy",
  ) {
    this.graph = graph;
    this.prefix = prefix;
    this.#lora = lora;
    this.#precision = precision;
  }

  at(name: string | number): ModelScope {
    return new ModelScope(this.graph, `${this.prefix}${name}.`, this.#lora, this.#precision);
  }

  /** The same place, its weights kept at this precision or a higher one that was asked for before. */
  keeping(precision: WeightPrecision): ModelScope {
    const higher = PRECISIONS.indexOf(precision) < PRECISIONS.indexOf(this.#precision);
    return new ModelScope(this.graph, this.prefix, this.#lora, higher ? precision : this.#precision);
  }

  /** For node names. */
  get name(): string {
    return this.prefix.slice(0, -1);
  }

  vector(name: string, length: number): Tensor {
    return this.graph.weight({ keys: [this.prefix + name], layout: "vector", shape: [length] });
  }

  /** Scale and shift of a norm. */
  norm(length: number): { readonly gamma: Tensor; readonly beta: Tensor } {
    return { gamma: this.vector("weight", length), beta: this.vector("bias", length) };
  }

  /** Embedding rows `[rows, width]`, stored without the `.weight` suffix when `name` says so. */
  table(name: string, rows: number, width: number): Tensor {
    return this.graph.weight({ keys: [this.prefix + name], layout: "table", shape: [rows, width] });
  }

  /** A 3×3 convolution's weight `[out, 9, in]` and bias, channels rounded up to quads. */
  conv(inputs: number, outputs: number): { readonly weight: Tensor; readonly bias: Tensor } {
    const shape = [quads(outputs), 9, quads(inputs)];
    return {
      weight: this.#weight([`${this.prefix}weight`], "conv3x3", shape),
      bias: this.vector("bias", quads(outputs)),
    };
  }

  /**
   * One matmul over one or several modules of this scope that read the same input (q, k and v), with their LoRA.
   * @param modules names under this scope; "" is the scope itself
   * @param outputs features of one module
   * @returns `[..., modules.length · outputs]`
   */
  linear(modules: readonly string[], x: Tensor, outputs: number, options: LinearModuleOptions = {}): Tensor {
    const { bias = true, ...rest } = options;
    const paths = modules.map((module) => (module === "" ? this.name : this.prefix + module));
    const keys = (suffix: string) => paths.map((path) => `${path}.${suffix}`);
    return this.#matmul(
      { weights: keys("weight"), biases: bias ? keys("bias") : [] },
      paths,
      x,
      outputs,
      rest,
    );
  }

  /**
   * One matmul over a tensor that stacks several modules (`in_proj_weight`: q, k and v), each with its own LoRA.
   * @param parts modules stacked along the outputs
   * @param outputs features of one module
   * @returns `[..., parts · outputs]`
   */
  stackedLinear(name: string, parts: number, x: Tensor, outputs: number): Tensor {
    const key = `${this.prefix}${name}_weight`;
    const paths = Array.from({ length: parts }, (_, part) => stackedPath(key, part * outputs));
    return this.#matmul({ weights: [key], biases: [`${this.prefix}${name}_bias`] }, paths, x, outputs, {});
  }

  /** A matmul with a matrix that the file stores as `[in, out]`; no bias. */
  transposedLinear(name: string, x: Tensor, outputs: number): Tensor {
    const key = this.prefix + name;
    const shape = [quads(outputs), x.shape.at(-1) ?? 0];
    return linear(this.graph, key, x, this.#weight([key], "transposed", shape));
  }

  #weight(keys: readonly string[], layout: WeightSpec["layout"], shape: readonly number[]): Tensor {
    return this.graph.weight({ keys, layout, shape, precision: this.#precision });
  }

  #matmul(
    { weights, biases }: { readonly weights: readonly string[]; readonly biases: readonly string[] },
    paths: readonly string[],
    x: Tensor,
    outputs: number,
    options: Omit<LinearModuleOptions, "bias">,
  ): Tensor {
    const inputs = x.shape.at(-1) ?? 0;
    const total = quads(outputs) * paths.length;
    const weight = this.#weight(weights, "matrix", [total, inputs]);
    const lora = this.#lora?.bind(this.graph, paths, inputs, outputs);
    return linear(this.graph, paths.join("+"), x, weight, {
      ...options,
      ...(biases.length > 0 && {
        bias: this.graph.weight({ keys: biases, layout: "vector", shape: [total] }),
      }),
      ...(lora && { lora }),
    });
  }
}

/** Channel counts are padded to whole quads (the 3 colours of an image become 4). */
export function quads(channels: number): number {
  return 4 * Math.ceil(channels / 4);
}
