/**
 * A checkpoint on the GPU: its weights, and the programs compiled for the shapes that were asked for. Programs are
 * kept until {@link LoadedModel.release}; weights of parts that were not used are never loaded.
 */
import { arenaPiece } from "../engine/arena";
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
import type { ModelFamily } from "./family";
import { familyNamed } from "./index";
import type { LoraBinding } from "./lora/binding";

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

/** A program with one output, and the inputs it was built with. */
export interface Evaluator {
  readonly program: Program;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly output: Tensor;
}

/** CLIP's context length; longer prompts are several chunks. */
export const TEXT_TOKENS = 77;

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

  /**
   * Text states of token rows.
   * @param ids rows of 77 token ids each
   * @returns `[rows, 77, contextDim]`
   */
  async encodeText(
    ids: readonly (readonly number[])[],
    clipSkip: number,
    lora?: ActiveLora,
  ): Promise<Float32Array[]> {
    const evaluator = await this.#evaluator(`text:${clipSkip}`, lora, (graph) => {
      const input = graph.input("ids", [1, TEXT_TOKENS], "u32");
      return {
        inputs: { ids: input },
        output: this.family.buildText(graph, this.config, input, { clipSkip, ...withLora(lora) }),
      };
    });
    const states: Float32Array[] = [];
    for (const row of ids) states.push(await evaluate(evaluator, { ids: Uint32Array.from(row) }));
    return states;
  }

  /**
   * Moments (mean, log-variance) of one picture.
   * @param image `[height, width, 4]`: colours in −1…1, fourth channel 0; both edges multiples of 8
   * @returns `[height/8, width/8, 2·latentChannels]`
   */
  async encodeImage(image: Float32Array<ArrayBuffer>, height: number, width: number): Promise<Float32Array> {
    const evaluator = await this.#evaluator(`encode:${height}x${width}`, undefined, (graph) => {
      const input = graph.input("image", [1, height, width, 4], this.activationType);
      return { inputs: { image: input }, output: this.family.buildVaeEncoder(graph, this.config, input) };
    });
    return evaluate(evaluator, { image });
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
    const evaluator = await this.#evaluator(`decode:${height}x${width}`, undefined, (graph) => {
      const input = graph.input(
        "latents",
        [1, height, width, this.config.vae.latentChannels],
        this.activationType,
      );
      return { inputs: { latents: input }, output: this.family.buildVaeDecoder(graph, this.config, input) };
    });
    const { scalingFactor } = this.config.vae;
    return evaluate(evaluator, { latents: latents.map((value) => value / scalingFactor) });
  }

  /** A UNet for a fixed shape; see {@link UnetEvaluator.predict}. */
  async unet(shape: UnetShape, lora?: ActiveLora, onProgress?: Progress): Promise<UnetEvaluator> {
    const { batch, height, width, tokens } = shape;
    const { unet, vae } = this.config;
    const evaluator = await this.#evaluator(
      `unet:${batch}:${height}x${width}:${tokens}`,
      lora,
      (graph) => {
        const inputs = {
          latents: graph.input("latents", [batch, height, width, vae.latentChannels], this.activationType),
          timestepEmbedding: graph.input(
            "timestepEmbedding",
            [batch, unet.channels[0] ?? 0],
            this.activationType,
          ),
          context: graph.input("context", [batch, tokens, unet.contextDim], this.activationType),
        };
        return { inputs, output: this.family.buildUnet(graph, this.config, inputs, lora?.binding) };
      },
      onProgress,
    );
    return new UnetEvaluator(evaluator, shape, unet.channels[0] ?? 0);
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
    };
  }

  #evaluator(
    name: string,
    lora: ActiveLora | undefined,
    build: (graph: GraphBuilder) => { inputs: Record<string, Tensor>; output: Tensor },
    onProgress?: Progress,
  ): Promise<Evaluator> {
    const key = lora ? `${name}:lora${idOf(lora.buffers)}` : name;
    const known = this.#evaluators.get(key);
    if (known) return known;
    const made = this.#compile(lora, build, onProgress);
    this.#evaluators.set(key, made);
    made.catch(() => this.#evaluators.delete(key));
    return made;
  }

  async #compile(
    lora: ActiveLora | undefined,
    build: (graph: GraphBuilder) => { inputs: Record<string, Tensor>; output: Tensor },
    onProgress?: Progress,
  ): Promise<Evaluator> {
    const graph = new GraphBuilder({
      activationType: this.activationType,
      ...(lora && { parameters: lora.buffers.layout }),
    });
    const { inputs, output } = build(graph);
    graph.keep(output);
    await this.loadWeights(graph, onProgress);
    const calls = lower(graph, this.device.policy);
    const execution = plan(graph, calls, {
      weightType: this.weights.requested,
      flatBuffers: 0,
      arenaPiece: arenaPiece(this.device),
    });
    const resources = { weights: this.weights, ...(lora && { parameters: lora.buffers }) };
    return { program: await Program.compile(this.device, execution, resources, onProgress), inputs, output };
  }
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
   * @param context `[batch, tokens, contextDim]`
   * @returns the raw prediction, same shape as the latents
   */
  predict(
    latents: Float32Array<ArrayBuffer>,
    timesteps: readonly number[],
    context: Float32Array<ArrayBuffer>,
  ): Promise<Float32Array<ArrayBuffer>> {
    timesteps.forEach((t, index) =>
      this.#embedding.set(timestepEmbedding(t, this.#width), index * this.#width),
    );
    return evaluate(this.#evaluator, { latents, timestepEmbedding: this.#embedding, context });
  }
}

async function evaluate(
  evaluator: Evaluator,
  values: Readonly<Record<string, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>>,
): Promise<Float32Array<ArrayBuffer>> {
  for (const [name, input] of Object.entries(evaluator.inputs)) {
    const value = values[name];
    if (value) evaluator.program.write(input, value);
  }
  const started = performance.now();
  evaluator.program.run();
  const result = await evaluator.program.read(evaluator.output);
  evaluator.program.learnSpeed((performance.now() - started) / 1000);
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
