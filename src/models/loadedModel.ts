/**
 * A checkpoint on the GPU: its weights, and the programs compiled for the shapes that were asked for. Programs are
 * kept until {@link LoadedModel.release}; weights of parts that were not used are never loaded.
 */
import { arenaPiece } from "../engine/arena";
import { invariant } from "../base/errors";
import type { EngineDevice } from "../engine/device";
import { GraphBuilder } from "../engine/graph";
import { lower } from "../engine/lowering";
import type { ParameterBuffers } from "../engine/parameters";
import { plan } from "../engine/planner";
import { Program } from "../engine/program";
import type { ActivationType, Tensor, WeightType } from "../engine/tensor";
import type { WeightSource } from "../engine/weights";
import { WeightStore } from "../engine/weightStore";
import type { CheckpointConfig } from "../formats/checkpoint/config";
import { timestepEmbedding } from "../diffusion/timestepEmbedding";
import { declareConditions } from "./inputs/conditions";
import type { ModelFamily } from "./family";
import { familyNamed } from "./index";
import type { LoraBinding } from "./lora/binding";
import { declareText, namedText, textInputs } from "./inputs/text";

export interface LoadedModelOptions {
  readonly config: CheckpointConfig;
  readonly source: WeightSource;
  readonly weightType: WeightType;
  readonly activationType: ActivationType;
}

/** A LoRA in GPU memory that programs read: which modules, and the flat values. */
export interface ActiveLora {
  readonly binding: LoraBinding;
  readonly buffers: ParameterBuffers;
}

/** What to make of a tensor's values, by checkpoint key. */
export type WeightOverrides = ReadonlyMap<
  string,
  (values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>
>;

export type Progress = (done: number, total: number) => void;

/** What {@link LoadedModel} says of a text. */
export interface EncodedText {
  /** `[77, contextDim]` */
  readonly context: Float32Array<ArrayBuffer>;
  /** `[pooledWidth]`, in families that have it. */
  readonly pooled?: Float32Array<ArrayBuffer>;
}

/** What the UNet is told besides latents and time, for all images of a batch. */
export interface UnetConditions {
  /** `[batch, tokens, contextDim]` */
  readonly context: Float32Array<ArrayBuffer>;
  /** `[batch, pooledWidth]` */
  readonly pooled?: Float32Array<ArrayBuffer>;
  /** Embedded sizes `[batch, sizesWidth]`; see `sizeEmbedding`. */
  readonly sizes?: Float32Array<ArrayBuffer>;
}

/** A graph's inputs and outputs by name. */
interface Interface {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: readonly Tensor[];
}

interface Evaluator extends Interface {
  readonly program: Program;
}

type Values = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Models with narrower text states (Mini, test models) were made for pictures of this edge. */
const SMALL_TEXT_WIDTH = 512;
const SMALL_SIZE = 64;

export class LoadedModel {
  readonly device: EngineDevice;
  readonly config: CheckpointConfig;
  readonly family: ModelFamily;
  readonly weights: WeightStore;
  readonly activationType: ActivationType;
  readonly #source: WeightSource;
  #overrides: WeightOverrides = new Map();
  readonly #evaluators = new Map<string, Promise<Evaluator>>();

  constructor(device: EngineDevice, options: LoadedModelOptions) {
    this.device = device;
    this.config = options.config;
    this.family = familyNamed(options.config.family);
    this.weights = new WeightStore(device, options.weightType);
    this.activationType = options.activationType;
    this.#source = options.source;
  }

  get title(): string {
    return this.#source.name;
  }

  /** Edge in pixels of the pictures the model was made for. */
  get nativeSize(): number {
    return this.config.text.hidden < SMALL_TEXT_WIDTH ? SMALL_SIZE : this.family.nativeSize(this.config);
  }

  /** The layer whose states condition the UNet: the family's own, or the one a person chose. */
  clipSkip(chosen: number): number {
    return this.family.fixedClipSkip ?? chosen;
  }

  /**
   * Text states of token rows.
   * @param ids rows of 77 token ids each; encoders pad the end in their own way
   * @param clipSkip 1 = states of the last layer; see {@link clipSkip}
   */
  async encodeText(
    ids: readonly (readonly number[])[],
    clipSkip: number,
    lora?: ActiveLora,
  ): Promise<EncodedText[]> {
    const { family, config } = this;
    const evaluator = await this.#evaluator(`text:${clipSkip}`, lora, (graph) => {
      const operands = declareText(graph, family, config, 1);
      const { context, pooled } = family.buildText(graph, config, operands, { clipSkip, ...withLora(lora) });
      return { inputs: namedText(operands), outputs: pooled ? [context, pooled] : [context] };
    });
    const states: EncodedText[] = [];
    for (const row of ids) {
      const [context, pooled] = await evaluate(evaluator, textInputs(family, [row]));
      invariant(context, "the text encoder has an output");
      states.push({ context, ...(pooled && { pooled: pooled.slice(0, family.pooledWidth(config)) }) });
    }
    return states;
  }

  /**
   * Moments (mean, log-variance) of one picture.
   * @param image `[height, width, 4]`: colours in −1…1, fourth channel 0; both edges multiples of 8
   * @returns `[height/8, width/8, 2·latentChannels]`
   */
  async encodeImage(image: Float32Array<ArrayBuffer>, height: number, width: number): Promise<Float32Array> {
    const evaluator = await this.#evaluator(
      `encode:${height}x${width}`,
      undefined,
      (graph) => {
        const input = graph.input("image", [1, height, width, 4], graph.activationType);
        return {
          inputs: new Map([["image", input]]),
          outputs: [this.family.buildVaeEncoder(graph, this.config, input)],
        };
      },
      { activationType: this.#vaeActivations },
    );
    return evaluateOne(evaluator, new Map([["image", image]]));
  }

  /**
   * @param latents `[height, width, latentChannels]`, scaled as the UNet sees them
   * @returns `[8·height, 8·width, 4]`, about −1…1, not clamped
   */
  async decodeLatents(
    latents: Float32Array<ArrayBuffer>,
    height: number,
    width: number,
  ): Promise<Float32Array> {
    const { latentChannels, scalingFactor } = this.config.vae;
    const evaluator = await this.#evaluator(
      `decode:${height}x${width}`,
      undefined,
      (graph) => {
        const input = graph.input("latents", [1, height, width, latentChannels], graph.activationType);
        return {
          inputs: new Map([["latents", input]]),
          outputs: [this.family.buildVaeDecoder(graph, this.config, input)],
        };
      },
      { activationType: this.#vaeActivations },
    );
    return evaluateOne(evaluator, new Map([["latents", latents.map((value) => value / scalingFactor)]]));
  }

  get #vaeActivations(): ActivationType {
    return this.family.vaeActivations ?? this.activationType;
  }

  /** A UNet for a fixed shape; see {@link UnetEvaluator.predict}. */
  async unet(shape: UnetShape, lora?: ActiveLora, onProgress?: Progress): Promise<UnetEvaluator> {
    const { batch, height, width, tokens } = shape;
    const { config, family } = this;
    const evaluator = await this.#evaluator(
      `unet:${batch}:${height}x${width}:${tokens}`,
      lora,
      (graph) => {
        const latents = graph.input(
          "latents",
          [batch, height, width, config.vae.latentChannels],
          graph.activationType,
        );
        const conditions = declareConditions(graph, family, config, batch, tokens);
        const operands = { latents, ...conditions };
        return {
          inputs: new Map(Object.entries(operands)),
          outputs: [family.buildUnet(graph, config, operands, lora?.binding)],
        };
      },
      onProgress && { onProgress },
    );
    return new UnetEvaluator(evaluator, shape, config.unet.channels[0] ?? 0);
  }

  /** Loads the weights a graph reads; those already there are kept. */
  loadWeights(graph: GraphBuilder, onProgress?: Progress): Promise<void> {
    return this.weights.load(graph.weights, this.#overriddenSource(), onProgress);
  }

  /** A tensor of the checkpoint as it is in the file. */
  readWeight(key: string): Promise<Float32Array<ArrayBuffer>> {
    return this.#source.read(key);
  }

  /**
   * Changes weights by checkpoint key (kinds of LoRA that are baked in). Replaces all earlier changes; an empty map
   * restores the checkpoint's own values.
   */
  async overrideWeights(overrides: WeightOverrides): Promise<void> {
    const touched = new Set([...this.#overrides.keys(), ...overrides.keys()]);
    this.#overrides = overrides;
    if (touched.size > 0) await this.weights.reload(touched, this.#overriddenSource());
  }

  /** Frees the programs (not the weights), e.g. before a training run needs the memory. */
  async releasePrograms(): Promise<void> {
    const evaluators = await Promise.all(this.#evaluators.values());
    this.#evaluators.clear();
    for (const { program } of evaluators) program.dispose();
  }

  async release(): Promise<void> {
    await this.releasePrograms();
    this.weights.dispose();
  }

  #overriddenSource(): WeightSource {
    const source = this.#source;
    return {
      name: source.name,
      shapeOf: (key) => source.shapeOf(key),
      read: async (key) => {
        const values = await source.read(key);
        return this.#overrides.get(key)?.(values) ?? values;
      },
      readPacked: async (key, layout, type) =>
        this.#overrides.has(key) ? undefined : source.readPacked?.(key, layout, type),
    };
  }

  #evaluator(
    name: string,
    lora: ActiveLora | undefined,
    build: (graph: GraphBuilder) => Interface,
    options: CompileOptions = {},
  ): Promise<Evaluator> {
    const key = lora ? `${name}:lora${idOf(lora.buffers)}` : name;
    const known = this.#evaluators.get(key);
    if (known) return known;
    const made = this.#compile(lora, build, options);
    this.#evaluators.set(key, made);
    made.catch(() => this.#evaluators.delete(key));
    return made;
  }

  async #compile(
    lora: ActiveLora | undefined,
    build: (graph: GraphBuilder) => Interface,
    { activationType = this.activationType, onProgress }: CompileOptions,
  ): Promise<Evaluator> {
    const graph = new GraphBuilder({
      activationType,
      ...(lora && { parameters: lora.buffers.layout }),
    });
    const { inputs, outputs } = build(graph);
    for (const output of outputs) graph.keep(output);
    await this.loadWeights(graph, onProgress);
    const calls = lower(graph, this.device.policy);
    const execution = plan(graph, calls, {
      weightType: this.weights.requested,
      flatBuffers: 0,
      arenaPiece: arenaPiece(this.device),
    });
    const resources = { weights: this.weights, ...(lora && { parameters: lora.buffers }) };
    return { program: await Program.compile(this.device, execution, resources, onProgress), inputs, outputs };
  }
}

interface CompileOptions {
  readonly activationType?: ActivationType;
  readonly onProgress?: Progress;
}

export interface UnetShape {
  readonly batch: number;
  /** In latent pixels. */
  readonly height: number;
  readonly width: number;
  readonly tokens: number;
}

/** The UNet at one shape. */
export class UnetEvaluator {
  readonly shape: UnetShape;
  readonly #evaluator: Evaluator;
  readonly #embedding: Float32Array<ArrayBuffer>;
  readonly #width: number;

  constructor(evaluator: Evaluator, shape: UnetShape, embeddingWidth: number) {
    this.#evaluator = evaluator;
    this.shape = shape;
    this.#width = embeddingWidth;
    this.#embedding = new Float32Array(shape.batch * embeddingWidth);
  }

  /**
   * @param latents `[batch, height, width, channels]`
   * @param timesteps one per image, may be fractional
   * @returns the raw prediction, same shape as the latents
   */
  predict(
    latents: Float32Array<ArrayBuffer>,
    timesteps: readonly number[],
    conditions: UnetConditions,
  ): Promise<Float32Array<ArrayBuffer>> {
    timesteps.forEach((t, index) =>
      this.#embedding.set(timestepEmbedding(t, this.#width), index * this.#width),
    );
    const values = new Map(Object.entries({ latents, timestepEmbedding: this.#embedding, ...conditions }));
    return evaluateOne(this.#evaluator, values);
  }
}

/** @returns the outputs in order */
async function evaluate(
  { program, inputs, outputs }: Evaluator,
  values: ReadonlyMap<string, Values>,
): Promise<Float32Array<ArrayBuffer>[]> {
  for (const [name, input] of inputs) {
    const value = values.get(name);
    invariant(value, () => `no value for the input ${name}`);
    program.write(input, value);
  }
  const started = performance.now();
  program.run();
  const results: Float32Array<ArrayBuffer>[] = [];
  for (const output of outputs) results.push(await program.read(output));
  program.learnSpeed((performance.now() - started) / 1000);
  return results;
}

async function evaluateOne(
  evaluator: Evaluator,
  values: ReadonlyMap<string, Values>,
): Promise<Float32Array<ArrayBuffer>> {
  const [result] = await evaluate(evaluator, values);
  invariant(result, "a program with an output");
  return result;
}

function withLora(lora: ActiveLora | undefined): { lora?: LoraBinding } {
  return lora ? { lora: lora.binding } : {};
}

const ids = new WeakMap<ParameterBuffers, number>();
let nextId = 0;

/** Programs are bound to concrete buffers, so the buffers are part of their key. */
function idOf(buffers: ParameterBuffers): number {
  const known = ids.get(buffers);
  if (known !== undefined) return known;
  ids.set(buffers, ++nextId);
  return nextId;
}
