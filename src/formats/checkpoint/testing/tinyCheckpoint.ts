/** Complete checkpoints small enough to make in a test: every part is there, everything is narrow and shallow. */
import { floatsToHalf } from "../../../base/half";
import { writeSafetensors, type TensorToWrite } from "../../safetensors/write";
import type { CheckpointConfig, FamilyName } from "../config";
import { fullSizeConfig } from "../fullSize";
import { checkpointLayout } from "../layout";

export function tinyConfig(family: FamilyName): CheckpointConfig {
  const config = fullSizeConfig(family);
  const heads = family === "sd1" ? { numHeads: 8 } : { numHeadChannels: 16 };
  const { numHeads: _, numHeadChannels: __, ...unet } = config.unet;
  const text = { hidden: 64, heads: 1, layers: 2, intermediate: 128, vocab: 32, positions: 77 };
  return {
    ...config,
    unet: {
      ...unet,
      ...heads,
      channels: [32, 64],
      resBlocks: 1,
      contextDim: family === "sdxl" ? 128 : 64,
      transformerDepth: family === "sdxl" ? [0, 2] : [1, 1],
      transformerDepthMiddle: family === "sdxl" ? 2 : 1,
    },
    text: { ...config.text, ...text, ...(config.text.projection !== undefined && { projection: 64 }) },
    ...(config.text2 && { text2: { ...config.text2, ...text, projection: 64 } }),
    vae: { ...config.vae, ch: 32, chMult: [1, 2], resBlocks: 1 },
  };
}

/** Every tensor with values of variance 1, by canonical key. The same seed gives the same values. */
export function tinyTensors(
  config: CheckpointConfig,
  dtype: "F16" | "F32" = "F16",
  seed = 1,
): Map<string, TensorToWrite> {
  const tensors = new Map<string, TensorToWrite>();
  const draw = uniform(seed);
  for (const [name, { shape }] of checkpointLayout(config)) {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let i = 0; i < values.length; i++) values[i] = draw();
    const bytes = new Uint8Array(dtype === "F16" ? floatsToHalf(values).buffer : values.buffer);
    tensors.set(name, { name, dtype, shape, bytes });
  }
  return tensors;
}

/** Uniform in ±√3 by a linear congruence: a test makes millions of values, and only needs them to differ. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.sqrt(3) * (state / 2 ** 31 - 1);
  };
}

/** What the file says about itself, as the project's own small models do. */
export function configMetadata({
  prediction,
  unet,
  text,
  text2,
  vae,
}: CheckpointConfig): Map<string, string> {
  const hints = {
    prediction,
    unet: { num_heads: unet.numHeads, num_head_channels: unet.numHeadChannels },
    text: { heads: text.heads, activation: text.activation },
    ...(text2 && { text2: { heads: text2.heads, activation: text2.activation } }),
    vae: { scaling_factor: vae.scalingFactor },
  };
  return new Map([["config", JSON.stringify(hints)]]);
}

/** A whole single-file checkpoint with two keys that no model needs. */
export function tinyFile(
  config: CheckpointConfig,
  dtype: "F16" | "F32" = "F16",
  seed = 1,
): Uint8Array<ArrayBuffer> {
  const extra: TensorToWrite[] = [
    { name: "betas", dtype: "F32", shape: [1000], bytes: new Uint8Array(4000) },
    { name: "model_ema.decay", dtype: "F32", shape: [], bytes: new Uint8Array(4) },
  ];
  return writeSafetensors([...tinyTensors(config, dtype, seed).values(), ...extra], configMetadata(config));
}
