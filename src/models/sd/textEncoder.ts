/**
 * CLIP's text encoder: causal transformer over 77 tokens. Hugging Face's and OpenCLIP's files hold the same network
 * under other names; OpenCLIP stacks q, k and v in one tensor.
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

/** Names below the encoder's prefix; `.` goes down one level. */
interface TextNames {
  readonly tokens: string;
  readonly positions: string;
  readonly block: string;
  readonly norm1: string;
  readonly norm2: string;
  readonly attention: string;
  readonly widen: string;
  readonly narrow: string;
  readonly finalNorm: string;
}

const NAMES: Record<TextConfig["layout"], TextNames> = {
  clip: {
    tokens: "text_model.embeddings.token_embedding.weight",
    positions: "text_model.embeddings.position_embedding.weight",
    block: "text_model.encoder.layers",
    norm1: "layer_norm1",
    norm2: "layer_norm2",
    attention: "self_attn",
    widen: "mlp.fc1",
    narrow: "mlp.fc2",
    finalNorm: "text_model.final_layer_norm",
  },
  "open-clip": {
    tokens: "token_embedding.weight",
    positions: "positional_embedding",
    block: "transformer.resblocks",
    norm1: "ln_1",
    norm2: "ln_2",
    attention: "attn",
    widen: "mlp.c_fc",
    narrow: "mlp.c_proj",
    finalNorm: "ln_final",
  },
};

/** One text encoder of a checkpoint, built layer by layer as far as a family needs it. */
export class TextEncoder {
  readonly #root: ModelScope;
  readonly #config: TextConfig;
  readonly #names: TextNames;

  /** @param prefix checkpoint prefix of the encoder, e.g. `cond_stage_model.transformer.` */
  constructor(graph: GraphBuilder, config: TextConfig, prefix: string, lora: LoraBinding | undefined) {
    this.#root = new ModelScope(graph, prefix, lora, "careful");
    this.#config = config;
    this.#names = NAMES[config.layout];
  }

  /** Token plus position embeddings `[batch, 77, hidden]` of ids `[batch, 77]`, u32. */
  embed(ids: Tensor): Tensor {
    const { vocab, positions, hidden } = this.#config;
    const tokens = this.#root.table(this.#names.tokens, vocab, hidden);
    const places = this.#root.table(this.#names.positions, positions, hidden);
    return embedding(this.#root.graph, `${this.#root.name}.embeddings`, ids, tokens, places);
  }

  /** Blocks `begin` … `end − 1`; same shape out. */
  layers(states: Tensor, begin: number, end: number): Tensor {
    invariant(begin <= end, () => `text layers ${begin} to ${end}`);
    let h = states;
    for (let i = begin; i < end; i++) {
      const scope = this.#root.at(this.#names.block).at(i);
      const x = h;
      h = this.#root.graph.segment(scope.name, () => this.#layer(scope, x));
    }
    return h;
  }

  /** The norm behind the last layer. */
  finalNorm(states: Tensor): Tensor {
    return this.#norm(this.#root.at(this.#names.finalNorm), states);
  }

  /** A sentence's state `[batch, hidden]` in the space it shares with pictures, `[batch, projection]`. */
  project(state: Tensor): Tensor {
    const { hidden, projection = hidden } = this.#config;
    return this.#root.transposedLinear("text_projection", state, projection);
  }

  #norm(scope: ModelScope, x: Tensor): Tensor {
    return layerNorm(scope.graph, scope.name, x, scope.norm(this.#config.hidden));
  }

  #layer(scope: ModelScope, x: Tensor): Tensor {
    const { graph } = scope;
    const { hidden, heads, intermediate, activation: kind } = this.#config;
    const names = this.#names;
    const self = scope.at(names.attention);
    const qkv = this.#queriesKeysValues(self, this.#norm(scope.at(names.norm1), x));
    const seen = attention(graph, self.name, { qkv }, { heads, causal: true });
    const h = self.linear(["out_proj"], seen, hidden, { residual: x });
    const wide = scope.linear([names.widen], this.#norm(scope.at(names.norm2), h), intermediate);
    const active = activation(graph, `${scope.name}.mlp.act`, wide, kind);
    return scope.linear([names.narrow], active, hidden, { residual: h });
  }

  #queriesKeysValues(self: ModelScope, x: Tensor): Tensor {
    const { hidden, layout } = this.#config;
    return layout === "clip"
      ? self.linear(["q_proj", "k_proj", "v_proj"], x, hidden)
      : self.stackedLinear("in_proj", 3, x, hidden);
  }
}
