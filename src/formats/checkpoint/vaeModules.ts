/** Every layer of the VAE by its checkpoint name (below `first_stage_model.`). */
import type { VaeConfig } from "./config";
import type { ModuleKind } from "./unetModules";

export interface VaeModule {
  readonly name: string;
  readonly kind: ModuleKind;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: true;
}

const IMAGE_CHANNELS = 3;

/** Encoder, decoder and the two 1x1 convolutions between them. */
export function vaeModules(vae: VaeConfig): VaeModule[] {
  const moments = vae.latentChannels * 2;
  return [
    ...encoder(vae, moments),
    ...decoder(vae),
    module("quant_conv", "conv1x1", moments, moments),
    module("post_quant_conv", "conv1x1", vae.latentChannels, vae.latentChannels),
  ];
}

function module(name: string, kind: ModuleKind, inFeatures: number, outFeatures = inFeatures): VaeModule {
  return { name, kind, inFeatures, outFeatures, bias: true };
}

function encoder(vae: VaeConfig, moments: number): VaeModule[] {
  const out = [module("encoder.conv_in", "conv3x3", IMAGE_CHANNELS, vae.ch)];
  let channels = vae.ch;
  vae.chMult.forEach((mult, i) => {
    for (let j = 0; j < vae.resBlocks; j++) {
      out.push(...resnet(`encoder.down.${i}.block.${j}`, channels, vae.ch * mult));
      channels = vae.ch * mult;
    }
    if (i < vae.chMult.length - 1) out.push(module(`encoder.down.${i}.downsample.conv`, "conv3x3", channels));
  });
  return [...out, ...middle("encoder", channels), ...head("encoder", channels, moments)];
}

function decoder(vae: VaeConfig): VaeModule[] {
  let channels = vae.ch * (vae.chMult.at(-1) ?? 1);
  const out = [
    module("decoder.conv_in", "conv3x3", vae.latentChannels, channels),
    ...middle("decoder", channels),
  ];
  for (let i = vae.chMult.length - 1; i >= 0; i--) {
    const width = vae.ch * (vae.chMult[i] ?? 1);
    for (let j = 0; j <= vae.resBlocks; j++) {
      out.push(...resnet(`decoder.up.${i}.block.${j}`, channels, width));
      channels = width;
    }
    if (i > 0) out.push(module(`decoder.up.${i}.upsample.conv`, "conv3x3", channels));
  }
  return [...out, ...head("decoder", channels, IMAGE_CHANNELS)];
}

function resnet(name: string, inFeatures: number, outFeatures: number): VaeModule[] {
  const out = [
    module(`${name}.norm1`, "norm", inFeatures),
    module(`${name}.conv1`, "conv3x3", inFeatures, outFeatures),
    module(`${name}.norm2`, "norm", outFeatures),
    module(`${name}.conv2`, "conv3x3", outFeatures),
  ];
  if (inFeatures !== outFeatures)
    out.push(module(`${name}.nin_shortcut`, "conv1x1", inFeatures, outFeatures));
  return out;
}

function middle(side: string, channels: number): VaeModule[] {
  const attention = ["q", "k", "v", "proj_out"].map((leaf) =>
    module(`${side}.mid.attn_1.${leaf}`, "conv1x1", channels),
  );
  return [
    ...resnet(`${side}.mid.block_1`, channels, channels),
    module(`${side}.mid.attn_1.norm`, "norm", channels),
    ...attention,
    ...resnet(`${side}.mid.block_2`, channels, channels),
  ];
}

function head(side: string, channels: number, outFeatures: number): VaeModule[] {
  return [
    module(`${side}.norm_out`, "norm", channels),
    module(`${side}.conv_out`, "conv3x3", channels, outFeatures),
  ];
}
