/** The UNet's transformer: self-attention, cross-attention over the text states, gated feed-forward. */
import { attention } from "../../engine/ops/attention";
import { geglu } from "../../engine/ops/geglu";
import { groupNorm } from "../../engine/ops/groupNorm";
import { layerNorm } from "../../engine/ops/layerNorm";
import { channels, type Tensor, type WeightPrecision } from "../../engine/tensor";
import type { UnetConfig } from "../../formats/checkpoint/config";
import type { ModelScope } from "../scope";
import { stackPrecision } from "./precision";
import type { UnetBlockContext } from "./unet";

/** @param x `[batch, height, width, channels]`; same shape out. proj_in and proj_out are 1×1 convolutions or linears: the same matmul here. */
export function spatialTransformer(
  scope: ModelScope,
  block: UnetBlockContext,
  x: Tensor,
  depth: number,
): Tensor {
  const width = channels(x);
  const { normGroups } = block.config;
  let h = groupNorm(scope.graph, scope.at("norm").name, x, {
    ...scope.at("norm").norm(width),
    groups: normGroups,
    eps: 1e-6,
    silu: false,
  });
  const trunk = scope.keeping("careful");
  h = trunk.linear(["proj_in"], h, width);
  for (let i = 0; i < depth; i++)
    h = transformerBlock(scope.at("transformer_blocks").at(i), block, h, stackPrecision(depth));
  return trunk.linear(["proj_out"], h, width, { residual: x });
}

function transformerBlock(
  scope: ModelScope,
  { config, context }: UnetBlockContext,
  x: Tensor,
  precision: WeightPrecision,
): Tensor {
  const { graph } = scope;
  const width = channels(x);
  const heads = headCount(config, width);
  const norm = (name: string, h: Tensor) =>
    layerNorm(graph, scope.at(name).name, h, scope.at(name).norm(width));

  const self = scope.at("attn1").keeping(precision);
  const qkv = self.linear(["to_q", "to_k", "to_v"], norm("norm1", x), width, { bias: false });
  const seen = attention(graph, self.name, { qkv }, { heads });
  let h = self.linear(["to_out.0"], seen, width, { residual: x });

  const cross = scope.at("attn2").keeping(precision);
  const q = cross.linear(["to_q"], norm("norm2", h), width, { bias: false });
  const kv = cross.linear(["to_k", "to_v"], context, width, { bias: false });
  const read = attention(graph, cross.name, { q, kv }, { heads });
  h = cross.linear(["to_out.0"], read, width, { residual: h });

  const feed = scope.at("ff").at("net");
  const gated = geglu(graph, feed.name, feed.at(0).linear(["proj"], norm("norm3", h), 8 * width));
  return feed.linear(["2"], gated, width, { residual: h });
}

/** SD1 fixes the number of heads, SD2 and SDXL their width. */
export function headCount(config: UnetConfig, width: number): number {
  return config.numHeads ?? width / (config.numHeadChannels ?? width);
}
