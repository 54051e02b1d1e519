/**
 * The autoencoder (KL-f8): pictures to latents and back, `first_stage_model.*`.
 *
 * Source: Rombach et al. 2022; Esser et al. 2021, "Taming Transformers for High-Resolution Image Synthesis".
 */
import type { GraphBuilder } from "../../engine/graph";
import { attention } from "../../engine/ops/attention";
import { conv3x3 } from "../../engine/ops/conv3x3";
import { groupNorm } from "../../engine/ops/groupNorm";
import { channels, dimension, type Tensor } from "../../engine/tensor";
import type { VaeConfig } from "../../formats/checkpoint/config";
import { ModelScope, quads } from "../scope";

const EPSILON = 1e-6;

/**
 * @param image `[batch, height, width, 4]`: red, green, blue in −1…1 and a channel of zeros
 * @returns moments `[batch, height/8, width/8, 8]`: mean, then log-variance (not scaled)
 */
export function vaeEncoder(graph: GraphBuilder, config: VaeConfig, image: Tensor): Tensor {
  const root = new ModelScope(graph, "first_stage_model.", undefined, "exact");
  const encoder = root.at("encoder");
  let h = plainConv(encoder.at("conv_in"), image, config.ch);
  config.chMult.forEach((multiplier, level) => {
    const scope = encoder.at("down").at(level);
    for (let i = 0; i < config.resBlocks; i++)
      h = resnet(scope.at("block").at(i), config, h, config.ch * multiplier);
    if (level < config.chMult.length - 1) h = downsample(scope.at("downsample").at("conv"), h);
  });
  h = middle(encoder.at("mid"), config, h);
  h = plainConv(
    encoder.at("conv_out"),
    norm(encoder.at("norm_out"), config, h, true),
    2 * config.latentChannels,
  );
  return root.linear(["quant_conv"], h, 2 * config.latentChannels);
}

/**
 * @param latents `[batch, h, w, 4]`, already divided by the scaling factor
 * @returns image `[batch, 8h, 8w, 4]`, about −1…1, not clamped; the fourth channel means nothing
 */
export function vaeDecoder(graph: GraphBuilder, config: VaeConfig, latents: Tensor): Tensor {
  const root = new ModelScope(graph, "first_stage_model.", undefined, "exact");
  const decoder = root.at("decoder");
  const widest = config.ch * (config.chMult.at(-1) ?? 1);
  let h = root.linear(["post_quant_conv"], latents, config.latentChannels);
  h = plainConv(decoder.at("conv_in"), h, widest);
  h = middle(decoder.at("mid"), config, h);
  for (let level = config.chMult.length - 1; level >= 0; level--) {
    const scope = decoder.at("up").at(level);
    for (let i = 0; i <= config.resBlocks; i++)
      h = resnet(scope.at("block").at(i), config, h, config.ch * (config.chMult[level] ?? 1));
    if (level > 0) h = upsample(scope.at("upsample").at("conv"), h);
  }
  return plainConv(decoder.at("conv_out"), norm(decoder.at("norm_out"), config, h, true), 3);
}

function plainConv(scope: ModelScope, x: Tensor, outputs: number): Tensor {
  const { weight, bias } = scope.conv(channels(x), outputs);
  return conv3x3(scope.graph, scope.name, x, { weight, bias });
}

function norm(scope: ModelScope, config: VaeConfig, x: Tensor, silu: boolean): Tensor {
  return groupNorm(scope.graph, scope.name, x, {
    ...scope.norm(channels(x)),
    groups: config.normGroups,
    eps: EPSILON,
    silu,
  });
}

function resnet(scope: ModelScope, config: VaeConfig, x: Tensor, width: number): Tensor {
  let h = plainConv(scope.at("conv1"), norm(scope.at("norm1"), config, x, true), width);
  h = norm(scope.at("norm2"), config, h, true);
  const shortcut = channels(x) === width ? x : scope.linear(["nin_shortcut"], x, width);
  const { weight, bias } = scope.at("conv2").conv(width, width);
  return conv3x3(scope.graph, scope.at("conv2").name, h, { weight, bias, residual: shortcut });
}

/** One attention head over all pixels between two residual blocks. */
function middle(scope: ModelScope, config: VaeConfig, x: Tensor): Tensor {
  const width = quads(channels(x));
  const h = resnet(scope.at("block_1"), config, x, width);
  const self = scope.at("attn_1");
  const qkv = self.linear(["q", "k", "v"], norm(self.at("norm"), config, h, false), width);
  const seen = attention(scope.graph, self.name, { qkv }, { heads: 1 });
  return resnet(scope.at("block_2"), config, self.linear(["proj_out"], seen, width, { residual: h }), width);
}

/** Stride 2, padded at the right and bottom only, as in the reference. */
function downsample(scope: ModelScope, x: Tensor): Tensor {
  const { weight, bias } = scope.conv(channels(x), channels(x));
  return conv3x3(scope.graph, scope.name, x, { weight, bias, stride: 2, padding: "end" });
}

function upsample(scope: ModelScope, x: Tensor): Tensor {
  const { weight, bias } = scope.conv(channels(x), channels(x));
  const size = [2 * dimension(x, 1), 2 * dimension(x, 2)] as const;
  return conv3x3(scope.graph, scope.name, x, { weight, bias, upsampleTo: size });
}
