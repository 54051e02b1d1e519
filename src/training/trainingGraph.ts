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
import { declareConditions, declareTimeAndSizes } from "../models/inputs/conditions";
import type { ModelFamily, TextOperands, TextStates } from "../models/family";
import type { LoraBinding } from "../models/lora/binding";
import { declareText } from "../models/inputs/text";

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
  /** So many blocks of the networks, from the first one on, redo their activations in the backward pass; Infinity: all. */
  readonly redoneBlocks: number;
  /** The loss is multiplied by a mask. */
  readonly masked?: boolean;
}

export interface TrainingInputs {
  /** Clean latents, scaled, `[batch, height, width, channels]`. */
  readonly latents: Tensor;
  readonly noise: Tensor;
  /** Per image: √ᾱ, √(1−ᾱ), loss weight, 0. */
  readonly coefficients: Tensor;
  /** How much each latent pixel counts, `[batch, height, width]`; only of a masked graph. */
  readonly mask: Tensor | undefined;
  readonly timestepEmbedding: Tensor;
  /** Finished text states; absent when the text encoder is trained. */
  readonly states: TextStates | undefined;
  /** Token ids; absent when it is not. */
  readonly text: TextOperands | undefined;
  /** Embedded picture sizes, in families that read them. */
  readonly sizes: Tensor | undefined;
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
  /** Blocks there are, and those of them that redo their activations. */
  readonly blocks: number;
  readonly redoneBlocks: number;
}

/** Builds forward, backward and update of one step. */
export function buildTrainingGraph(options: TrainingGraphOptions): TrainingGraph {
  const { family, config, lora } = options;
  const graph = new GraphBuilder({ activationType: options.activationType, parameters: options.parameters });
  const inputs = declareInputs(graph, options);
  // The text encoders first: their parameters then lie first in the flat buffers, as in the trainer's parameter groups.
  const states = inputs.states ?? textStates(graph, options, inputs);
  const { latents, noise, coefficients, mask, scalars, timestepEmbedding, sizes } = inputs;
  const noisy = addNoise(graph, "noisy_latents", latents, noise, coefficients);
  const operands = { latents: noisy, timestepEmbedding, ...states, ...(sizes && { sizes }) };
  const prediction = family.buildUnet(graph, config, operands, lora);
  const losses = graph.keep(
    diffusionLoss(graph, "loss", { prediction, latents, noise, coefficients, mask }, config.prediction),
  );
  const root = graph.producer(losses);
  // The last blocks' gradients come first, when everything else is still kept: redoing early blocks saves most.
  const blocks = [...new Set(graph.nodes.flatMap((node) => node.segment ?? []))];
  const recompute = new Set(blocks.slice(0, options.redoneBlocks));
  differentiate(graph, { scalars, roots: root ? [root] : [], recompute });
  graph.phase = "update";
  const optimizer = graph.keep(
    adamwUpdate(graph, "adamw", scalars, textParametersEnd(graph.parameters, lora)),
  );
  return {
    ...{ graph, inputs, prediction, losses, optimizer },
    ...{ blocks: blocks.length, redoneBlocks: recompute.size },
  };
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
  { family, config, shape, trainTextEncoder, masked }: TrainingGraphOptions,
): TrainingInputs {
  const { batch, height, width, tokens } = shape;
  const image = [batch, height, width, config.vae.latentChannels];
  const latents = graph.input("latents", image);
  const noise = graph.input("noise", image);
  const coefficients = graph.input("coefficients", [batch, 4]);
  const scalars = graph.input("scalars", [STEP_SCALAR_COUNT]);
  const mask = masked ? graph.input("mask", [batch, height, width]) : undefined;
  const fixed = { latents, noise, coefficients, mask, scalars };
  if (trainTextEncoder) {
    const { timestepEmbedding, sizes } = declareTimeAndSizes(graph, family, config, batch);
    return {
      ...fixed,
      timestepEmbedding,
      sizes,
      states: undefined,
      text: declareText(graph, family, config, batch),
    };
  }
  const { timestepEmbedding, sizes, ...states } = declareConditions(graph, family, config, batch, tokens);
  return { ...fixed, timestepEmbedding, sizes, states, text: undefined };
}

function textStates(
  graph: GraphBuilder,
  { family, config, clipSkip, lora }: TrainingGraphOptions,
  { text }: TrainingInputs,
): TextStates {
  invariant(text, "a trained text encoder reads token ids");
  return family.buildText(graph, config, text, { clipSkip: family.fixedClipSkip ?? clipSkip, lora });
}

/** Where the text encoders' parameters end in the flat buffers; 0 when they are not trained. */
function textParametersEnd(layout: ParameterLayout, lora: LoraBinding): number {
  const isText = (name: string | undefined) => name?.startsWith("lora_te") ?? false;
  const textGroups = lora.groups.filter((group) => group.targets.some((target) => isText(target?.name)));
  const ends = textGroups.flatMap((group) => [layout.endOf(group.down), layout.endOf(group.up)]);
  return Math.max(0, ...ends);
}
