/**
 * One training step as a graph: noise, UNet (and text encoder when it is trained), loss, gradients of the LoRA, clip
 * and AdamW. Needs no GPU; the same graph is planned, shown to the person, and compiled.
 */
import { invariant } from "../base/errors";
import { differentiate } from "../engine/autodiff";
import { GraphBuilder } from "../engine/graph";
import { lower } from "../engine/lowering";
import { addNoise } from "../engine/ops/addNoise";
import { adamwUpdate } from "../engine/ops/adamw";
import { diffusionLoss } from "../engine/ops/diffusionLoss";
import type { ParameterLayout } from "../engine/parameters";
import { plan, type ExecutionPlan } from "../engine/planner";
import type { KernelPolicy } from "../engine/policy";
import { STEP_SCALAR_COUNT } from "../engine/stepScalars";
import type { ActivationType, Tensor, WeightType } from "../engine/tensor";
import type { CheckpointConfig } from "../formats/checkpoint/config";
import type { ModelFamily } from "../models/family";
import type { LoraBinding } from "../models/lora/binding";

export interface TrainingShape {
  readonly batch: number;
  /** In latent pixels. */
  readonly height: number;
  readonly width: number;
  /** Text tokens of each caption. */
  readonly tokens: number;
}

export interface TrainingGraphOptions {
  readonly family: ModelFamily;
  readonly config: CheckpointConfig;
  readonly shape: TrainingShape;
  readonly lora: LoraBinding;
  /** Shared by the programs of all buckets. */
  readonly parameters: ParameterLayout;
  readonly activationType: ActivationType;
  /** Run the text encoder in the step and train it too. */
  readonly trainTextEncoder: boolean;
  readonly clipSkip: number;
  /** Redo each block's activations in the backward pass instead of keeping them. */
  readonly recompute: boolean;
}

export interface TrainingInputs {
  /** Clean latents, scaled, `[batch, height, width, channels]`. */
  readonly latents: Tensor;
  readonly noise: Tensor;
  /** Per image: √ᾱ, √(1−ᾱ), loss weight, 0. */
  readonly coefficients: Tensor;
  readonly timestepEmbedding: Tensor;
  /** Text states `[batch, tokens, contextDim]`; absent when the text encoder is trained. */
  readonly context: Tensor | undefined;
  /** Token ids `[batch, 77]`; absent when it is not. */
  readonly ids: Tensor | undefined;
  readonly scalars: Tensor;
}

export interface TrainingGraph {
  readonly graph: GraphBuilder;
  readonly inputs: TrainingInputs;
  readonly prediction: Tensor;
  /** `[batch, 4]`: weighted mean squared error, the same unweighted, 0, 0. */
  readonly losses: Tensor;
  /** Gradient norm before clipping, 1 when the update was skipped, 0, 0. */
  readonly optimizer: Tensor;
}

/** Builds forward, backward and update of one step. */
export function buildTrainingGraph(options: TrainingGraphOptions): TrainingGraph {
  const { family, config, lora } = options;
  const graph = new GraphBuilder({ activationType: options.activationType, parameters: options.parameters });
  const inputs = declareInputs(graph, options);
  // The text encoder first: its parameters then lie first in the flat buffers, as in the trainer's parameter groups.
  const context = inputs.context ?? textContext(graph, options, inputs);
  const { latents, noise, coefficients, scalars, timestepEmbedding } = inputs;
  const noisy = addNoise(graph, "noisy_latents", latents, noise, coefficients);
  const prediction = family.buildUnet(graph, config, { latents: noisy, timestepEmbedding, context }, lora);
  const losses = graph.keep(
    diffusionLoss(graph, "loss", { prediction, latents, noise, coefficients }, config.prediction),
  );
  const root = graph.producer(losses);
  const recompute = new Set(options.recompute ? graph.nodes.flatMap((node) => node.segment ?? []) : []);
  differentiate(graph, { scalars, roots: root ? [root] : [], recompute });
  graph.phase = "update";
  const optimizer = graph.keep(
    adamwUpdate(graph, "adamw", scalars, textParametersEnd(graph.parameters, lora)),
  );
  return { graph, inputs, prediction, losses, optimizer };
}

/** Plans a training graph for a policy; see `planner`. */
export function planTraining(
  training: TrainingGraph,
  policy: KernelPolicy,
  weightType: WeightType,
  arenaPiece?: number,
): ExecutionPlan {
  const calls = lower(training.graph, policy);
  return plan(training.graph, calls, {
    weightType,
    flatBuffers: 4,
    ...(arenaPiece !== undefined && { arenaPiece }),
  });
}

function declareInputs(
  graph: GraphBuilder,
  { config, shape, trainTextEncoder, activationType }: TrainingGraphOptions,
): TrainingInputs {
  const { batch, height, width, tokens } = shape;
  const image = [batch, height, width, config.vae.latentChannels];
  return {
    latents: graph.input("latents", image),
    noise: graph.input("noise", image),
    coefficients: graph.input("coefficients", [batch, 4]),
    timestepEmbedding: graph.input(
      "timestepEmbedding",
      [batch, config.unet.channels[0] ?? 0],
      activationType,
    ),
    context: trainTextEncoder
      ? undefined
      : graph.input("context", [batch, tokens, config.unet.contextDim], activationType),
    ids: trainTextEncoder ? graph.input("ids", [batch, tokens], "u32") : undefined,
    scalars: graph.input("scalars", [STEP_SCALAR_COUNT]),
  };
}

function textContext(
  graph: GraphBuilder,
  { family, config, clipSkip, lora }: TrainingGraphOptions,
  { ids }: TrainingInputs,
): Tensor {
  invariant(ids, "a trained text encoder reads token ids");
  return family.buildText(graph, config, ids, { clipSkip, lora });
}

/** Where the text encoder's parameters end in the flat buffers; 0 when it is not trained. */
function textParametersEnd(layout: ParameterLayout, lora: LoraBinding): number {
  const isText = (name: string | undefined) => name?.startsWith("lora_te") ?? false;
  const textGroups = lora.groups.filter((group) => group.targets.some((target) => isText(target?.name)));
  const ends = textGroups.flatMap((group) => [layout.endOf(group.down), layout.endOf(group.up)]);
  return Math.max(0, ...ends);
}
