/**
 * The UNet of Stable Diffusion 1.x, 2.x and XL as a function over the graph builder. Names mirror the checkpoint
 * (`model.diffusion_model.*`); sizes come from the configuration, so tiny and full-size models take the same path.
 *
 * Source: Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models".
 */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../../engine/graph";
import { concat } from "../../engine/ops/concat";
import { conv3x3 } from "../../engine/ops/conv3x3";
import { groupNorm } from "../../engine/ops/groupNorm";
import { add } from "../../engine/ops/add";
import { activation } from "../../engine/ops/activation";
import { channels, dimension, type Tensor } from "../../engine/tensor";
import type { UnetConfig } from "../../formats/checkpoint/config";
import type { LoraBinding } from "../lora/binding";
import { ModelScope } from "../scope";
import { levelPrecision, stackPrecision } from "./precision";
import { residualBlock } from "./residualBlock";
import { spatialTransformer } from "./spatialTransformer";
import { timeProjections, type TimeProjections } from "./timeProjections";

export interface UnetInputs {
  /** Noisy latents `[batch, height, width, 4]`. */
  readonly latents: Tensor;
  /** Sinusoidal embedding of the timesteps `[batch, channels[0]]`. */
  readonly timestepEmbedding: Tensor;
  /** Text states `[batch, tokens, contextDim]`. */
  readonly context: Tensor;
  /** SDXL's vector conditioning `[batch, admInChannels]`. */
  readonly vector?: Tensor;
}

/** What every block needs besides its input. */
export interface UnetBlockContext {
  readonly config: UnetConfig;
  readonly time: TimeProjections;
  readonly context: Tensor;
}

/**
 * Builds the UNet.
 * @returns the raw prediction `[batch, height, width, 4]` (noise or velocity)
 */
export function unet(
  graph: GraphBuilder,
  config: UnetConfig,
  inputs: UnetInputs,
  lora?: LoraBinding,
): Tensor {
  const root = new ModelScope(graph, "model.diffusion_model.", lora);
  const block: UnetBlockContext = {
    config,
    context: inputs.context,
    time: timeProjections(root, config, timeEmbedding(root, config, inputs)),
  };
  const skips: Tensor[] = [];
  let h = downPath(root.at("input_blocks"), block, inputs.latents, skips);
  h = graph.segment("middle_block", () => middle(root.at("middle_block"), block, h));
  h = upPath(root.at("output_blocks"), block, h, skips);
  return graph.segment("out", () => {
    const out = root.at("out");
    const normed = groupNorm(graph, out.at(0).name, h, {
      ...out.at(0).norm(channels(h)),
      groups: config.normGroups,
      eps: 1e-5,
      silu: true,
    });
    const conv = out.at(2).keeping("exact").conv(channels(h), config.outChannels);
    return conv3x3(graph, out.at(2).name, normed, { ...conv });
  });
}

function timeEmbedding(
  root: ModelScope,
  config: UnetConfig,
  { timestepEmbedding, vector }: UnetInputs,
): Tensor {
  const width = 4 * (config.channels[0] ?? 0);
  const mlp = (scope: ModelScope, last: ModelScope, x: Tensor) =>
    last.linear([""], scope.linear([""], x, width, { activation: "silu" }), width);
  const time = root.at("time_embed").keeping("usual");
  let embedding = mlp(time.at(0), time.at(2), timestepEmbedding);
  if (vector) {
    const label = root.at("label_emb").at(0).keeping("usual");
    embedding = add(root.graph, "label_emb", embedding, mlp(label.at(0), label.at(2), vector));
  }
  // Every residual block begins with SiLU of the embedding: once for all.
  return activation(root.graph, "time_embed.silu", embedding, "silu");
}

function downPath(scope: ModelScope, block: UnetBlockContext, latents: Tensor, skips: Tensor[]): Tensor {
  const { graph } = scope;
  const { config } = block;
  const first = scope
    .at(0)
    .at(0)
    .keeping("exact")
    .conv(channels(latents), config.channels[0] ?? 0);
  let h = conv3x3(graph, scope.at(0).at(0).name, latents, { ...first });
  skips.push(h);
  let index = 1;
  config.channels.forEach((width, level) => {
    for (let i = 0; i < config.resBlocks; i++) {
      const at = scope.at(index++).keeping(stackPrecision(config.transformerDepth[level] ?? 0));
      h = graph.segment(at.name, () => unit(at, block, h, width, level));
      skips.push(h);
    }
    if (level === config.channels.length - 1) return;
    const down = scope.at(index++).at(0).at("op").keeping("careful");
    const conv = down.conv(width, width);
    h = conv3x3(graph, down.name, h, { ...conv, stride: 2 });
    skips.push(h);
  });
  return h;
}

function middle(place: ModelScope, block: UnetBlockContext, x: Tensor): Tensor {
  const width = channels(x);
  const depth = block.config.transformerDepthMiddle;
  const scope = place.keeping(levelPrecision(block.config.channels.length));
  const around = scope.keeping(stackPrecision(depth));
  const h = residualBlock(around.at(0), block, x, width);
  if (depth === 0) return residualBlock(around.at(1), block, h, width);
  return residualBlock(around.at(2), block, spatialTransformer(scope.at(1), block, h, depth), width);
}

function upPath(scope: ModelScope, block: UnetBlockContext, x: Tensor, skips: Tensor[]): Tensor {
  const { graph } = scope;
  const levels = block.config.channels.length;
  let h = x;
  let index = 0;
  for (let level = levels - 1; level >= 0; level--) {
    const width = block.config.channels[level] ?? 0;
    for (let i = 0; i <= block.config.resBlocks; i++) {
      const skip = skips.pop();
      invariant(skip, "more output blocks than skips");
      const at = scope.at(index++);
      h = graph.segment(at.name, () =>
        unit(at, block, concat(graph, `${at.name}.concat`, h, skip), width, level),
      );
    }
    const next = skips.at(-1);
    const convAt = (block.config.transformerDepth[level] ?? 0) > 0 ? 2 : 1;
    if (level > 0 && next) h = upsample(scope.at(index - 1).at(convAt), h, next);
  }
  return h;
}

/** Residual block, then the level's transformer when it has one. */
function unit(place: ModelScope, block: UnetBlockContext, x: Tensor, width: number, level: number): Tensor {
  const depth = block.config.transformerDepth[level] ?? 0;
  const scope = place.keeping(levelPrecision(level));
  const h = residualBlock(scope.at(0).keeping(stackPrecision(depth)), block, x, width);
  return depth === 0 ? h : spatialTransformer(scope.at(1), block, h, depth);
}

/** Nearest-neighbour to the next skip's size (twice as large, one less at odd sizes), then a convolution. */
function upsample(scope: ModelScope, h: Tensor, next: Tensor): Tensor {
  const at = scope.at("conv").keeping("careful");
  const conv = at.conv(channels(h), channels(h));
  const size = [dimension(next, 1), dimension(next, 2)] as const;
  return conv3x3(scope.graph, at.name, h, { ...conv, upsampleTo: size });
}
