/** A VAE in a file of its own (the vae-ft-mse habit), as the tensors that replace a checkpoint's. */
import { TensorFileError } from "../safetensors/errors";
import type { TensorInfo } from "../safetensors/header";
import type { Bundle, VaeTensors } from "./bundle";
import { canonicalVae } from "./diffusersNames";
import { VAE_PREFIX } from "./layout";

/**
 * Reads LDM keys with or without their prefix, and diffusers keys.
 * @throws TensorFileError `wrong-base` when the file holds no VAE
 */
export function vaeTensors({ header, title }: Bundle): VaeTensors {
  const tensors = header.tensors;
  if (tensors.has("encoder.down_blocks.0.resnets.0.conv1.weight")) return canonicalVae(tensors, title);
  const renamed = new Map<string, TensorInfo>();
  for (const [key, info] of tensors) {
    if (key.startsWith(VAE_PREFIX)) renamed.set(key, info);
    else if (/^(encoder|decoder|quant_conv|post_quant_conv)\./.test(key)) renamed.set(VAE_PREFIX + key, info);
  }
  if (
    renamed.has(`${VAE_PREFIX}encoder.conv_in.weight`) &&
    renamed.has(`${VAE_PREFIX}decoder.conv_in.weight`)
  )
    return renamed;
  throw new TensorFileError(
    "wrong-base",
    `"${title}" contains no VAE.`,
    "A VAE file holds an encoder and a decoder, for example vae-ft-mse-840000-ema-pruned.safetensors.",
  );
}
