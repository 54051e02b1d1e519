/**
 * The linear layers of a CLIP text encoder under their checkpoint key and their Hugging Face name.
 * OpenCLIP stores q, k and v stacked in one tensor; `rows` says which part is meant.
 */
import type { TextConfig } from "./config";

export interface TextModule {
  /** Hugging Face name below the encoder, e.g. `text_model.encoder.layers.0.self_attn.q_proj`. */
  readonly name: string;
  /** Key of the weight below the encoder's prefix. */
  readonly weight: string;
  /** First row of the stacked tensor that is this weight; absent when the tensor is the weight. */
  readonly firstRow?: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** The six linear layers of every block, in file order of the blocks. */
export function textModules(text: TextConfig): TextModule[] {
  return Array.from({ length: text.layers }, (_, n) => layerModules(text, n)).flat();
}

function layerModules(text: TextConfig, n: number): TextModule[] {
  const { hidden, intermediate, layout } = text;
  const name = `text_model.encoder.layers.${n}`;
  const block = layout === "clip" ? name : `transformer.resblocks.${n}`;
  const attention = (leaf: "q" | "k" | "v", stack: number): TextModule => ({
    name: `${name}.self_attn.${leaf}_proj`,
    ...(layout === "clip"
      ? { weight: `${block}.self_attn.${leaf}_proj.weight` }
      : { weight: `${block}.attn.in_proj_weight`, firstRow: stack * hidden }),
    inFeatures: hidden,
    outFeatures: hidden,
  });
  const whole = (clip: string, openClip: string, inFeatures: number, outFeatures: number): TextModule => ({
    name: `${name}.${clip}`,
    weight: `${block}.${layout === "clip" ? clip : openClip}.weight`,
    inFeatures,
    outFeatures,
  });
  return [
    attention("k", 1),
    attention("v", 2),
    attention("q", 0),
    whole("self_attn.out_proj", "attn.out_proj", hidden, hidden),
    whole("mlp.fc1", "mlp.c_fc", hidden, intermediate),
    whole("mlp.fc2", "mlp.c_proj", intermediate, hidden),
  ];
}
