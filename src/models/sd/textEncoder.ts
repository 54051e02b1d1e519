/**
 * CLIP's text encoder (SD1, SDXL's first): causal transformer over 77 tokens.
 *
 * Source: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision".
 */
import { invariant } from "../../base/errors";
import type { GraphBuilder } from "../../engine/graph";
import { activation } from "../../engine/ops/activation";
import { attention } from "../../engine/ops/attention";
import { embedding } from "../../engine/ops/embedding";
import { layerNorm } from "../../engine/ops/layerNorm";
import type { Tensor } from "../../engine/tensor";
import type { TextConfig } from "../../formats/checkpoint/config";
import type { LoraBinding } from "../lora/binding";
import { ModelScope } from "../scope";

export interface TextEncoderOptions {
  /** Checkpoint prefix up to `text_model.`. */
  readonly prefix: string;
  /** 1 = states of the last layer, 2 = of the last but one, each through the final norm. */
  readonly clipSkip: number;
  readonly lora?: LoraBinding;
}

/**
 * Builds the encoder.
 * @param ids token ids `[batch, 77]`, u32
 * @returns states `[batch, 77, hidden]`
 */
export function textEncoder(
  graph: GraphBuilder,
  config: TextConfig,
  ids: Tensor,
  options: TextEncoderOptions,
): Tensor {
  invariant(config.layout === "clip", "this encoder has another key layout");
  const root = new ModelScope(graph, options.prefix, options.lora);
  const tables = root.at("embeddings");
  let h = embedding(
    graph,
    tables.name,
    ids,
    tables.table("token_embedding.weight", config.vocab, config.hidden),
    tables.table("position_embedding.weight", config.positions, config.hidden),
  );
  const layers = config.layers - (options.clipSkip - 1);
  invariant(layers >= 0, `clip skip ${options.clipSkip} of ${config.layers} layers`);
  for (let i = 0; i < layers; i++) {
    const scope = root.at("encoder").at("layers").at(i);
    const x = h;
    h = graph.segment(scope.name, () => layer(scope, config, x));
  }
  const final = root.at("final_layer_norm");
  return layerNorm(graph, final.name, h, final.norm(config.hidden));
}

function layer(scope: ModelScope, config: TextConfig, x: Tensor): Tensor {
  const { graph } = scope;
  const norm = (name: string, h: Tensor) =>
    layerNorm(graph, scope.at(name).name, h, scope.at(name).norm(config.hidden));
  const self = scope.at("self_attn");
  const qkv = self.linear(["q_proj", "k_proj", "v_proj"], norm("layer_norm1", x), config.hidden);
  const seen = attention(graph, self.name, { qkv }, { heads: config.heads, causal: true });
  const h = self.linear(["out_proj"], seen, config.hidden, { residual: x });
  const mlp = scope.at("mlp");
  const wide = mlp.linear(["fc1"], norm("layer_norm2", h), config.intermediate);
  return mlp.linear(["fc2"], activation(graph, `${mlp.name}.act`, wide, config.activation), config.hidden, {
    residual: h,
  });
}
