/**
 * Every layer of a Stable Diffusion UNet under both of its names: the checkpoint's (LDM,
 * `input_blocks.1.0.in_layers.2`) and diffusers' (`down_blocks.0.resnets.0.conv1`), from which LoRA keys are made.
 * This file is the only place that knows the correspondence.
 */
import type { UnetConfig } from "./config";

export type ModuleKind = "linear" | "conv1x1" | "conv3x3" | "norm";

/** What a module sits in; decides which LoRA options reach it. */
export type BlockKind = "stem" | "resnet" | "transformer" | "downsample" | "upsample";

export interface UnetModule {
  /** Name in the checkpoint, below `model.diffusion_model.`. */
  readonly ldm: string;
  /** Name in diffusers; equal to `ldm` inside transformer units. */
  readonly diffusers: string;
  readonly block: BlockKind;
  readonly kind: ModuleKind;
  /** Input features or channels (for a norm: its channels). */
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
}

/** A block and how its modules are prefixed under both names. */
interface Place {
  ldm: string;
  diffusers: string;
  block: BlockKind;
}

type ModuleList = UnetModule[];

/** All modules in checkpoint order: stem, down, middle, up, head. */
export function unetModules(unet: UnetConfig): UnetModule[] {
  const out: ModuleList = [];
  const skips = [addStem(out, unet)];
  addDown(out, unet, skips);
  addMiddle(out, unet);
  addUp(out, unet, skips);
  addHead(out, unet);
  return out;
}

/** Width of the time embedding: four times the first level. */
function timeDim(unet: UnetConfig): number {
  return level(unet, 0).channels * 4;
}

function level(unet: UnetConfig, i: number): { channels: number; depth: number } {
  return { channels: unet.channels[i] ?? 0, depth: unet.transformerDepth[i] ?? 0 };
}

function add(
  out: ModuleList,
  place: Place,
  ldm: string,
  diffusers: string,
  rest: Pick<UnetModule, "kind" | "inFeatures" | "outFeatures"> & { bias?: boolean },
): void {
  out.push({
    ldm: join(place.ldm, ldm),
    diffusers: join(place.diffusers, diffusers),
    block: place.block,
    bias: true,
    ...rest,
  });
}

function join(prefix: string, name: string): string {
  return prefix && name ? `${prefix}.${name}` : prefix || name;
}

function addNorm(out: ModuleList, place: Place, ldm: string, diffusers: string, channels: number): void {
  add(out, place, ldm, diffusers, { kind: "norm", inFeatures: channels, outFeatures: channels });
}

/** Time embedding, vector conditioning and first convolution; returns the first skip's channels. */
function addStem(out: ModuleList, unet: UnetConfig): number {
  const place: Place = { ldm: "", diffusers: "", block: "stem" };
  const { channels } = level(unet, 0);
  const time = timeDim(unet);
  const linear = (ldm: string, diffusers: string, inFeatures: number) =>
    add(out, place, ldm, diffusers, { kind: "linear", inFeatures, outFeatures: time });
  linear("time_embed.0", "time_embedding.linear_1", channels);
  linear("time_embed.2", "time_embedding.linear_2", time);
  if (unet.admInChannels !== undefined) {
    linear("label_emb.0.0", "add_embedding.linear_1", unet.admInChannels);
    linear("label_emb.0.2", "add_embedding.linear_2", time);
  }
  add(out, place, "input_blocks.0.0", "conv_in", {
    kind: "conv3x3",
    inFeatures: unet.inChannels,
    outFeatures: channels,
  });
  return channels;
}

/** Down path; pushes the channels of every skip connection. */
function addDown(out: ModuleList, unet: UnetConfig, skips: number[]): void {
  let current = level(unet, 0).channels;
  let index = 1;
  for (let i = 0; i < unet.channels.length; i++) {
    const { channels, depth } = level(unet, i);
    for (let j = 0; j < unet.resBlocks; j++, index++) {
      addResnet(out, unet, `input_blocks.${index}.0`, `down_blocks.${i}.resnets.${j}`, current, channels);
      addTransformer(
        out,
        unet,
        `input_blocks.${index}.1`,
        `down_blocks.${i}.attentions.${j}`,
        channels,
        depth,
      );
      current = channels;
      skips.push(current);
    }
    if (i === unet.channels.length - 1) return;
    const place: Place = {
      ldm: `input_blocks.${index++}.0`,
      diffusers: `down_blocks.${i}.downsamplers.0`,
      block: "downsample",
    };
    add(out, place, "op", "conv", { kind: "conv3x3", inFeatures: channels, outFeatures: channels });
    skips.push(current);
  }
}

function addMiddle(out: ModuleList, unet: UnetConfig): void {
  const { channels } = level(unet, unet.channels.length - 1);
  addResnet(out, unet, "middle_block.0", "mid_block.resnets.0", channels, channels);
  addTransformer(
    out,
    unet,
    "middle_block.1",
    "mid_block.attentions.0",
    channels,
    unet.transformerDepthMiddle,
  );
  addResnet(out, unet, "middle_block.2", "mid_block.resnets.1", channels, channels);
}

/** Up path: one residual block more per level, each fed by the newest skip. */
function addUp(out: ModuleList, unet: UnetConfig, skips: number[]): void {
  const levels = unet.channels.length;
  let current = level(unet, levels - 1).channels;
  let index = 0;
  for (let up = 0; up < levels; up++) {
    const { channels, depth } = level(unet, levels - 1 - up);
    for (let j = 0; j <= unet.resBlocks; j++, index++) {
      const ldm = `output_blocks.${index}`;
      addResnet(
        out,
        unet,
        `${ldm}.0`,
        `up_blocks.${up}.resnets.${j}`,
        current + (skips.pop() ?? 0),
        channels,
      );
      addTransformer(out, unet, `${ldm}.1`, `up_blocks.${up}.attentions.${j}`, channels, depth);
      current = channels;
      if (j === unet.resBlocks && up < levels - 1)
        addUpsample(out, `${ldm}.${depth > 0 ? 2 : 1}`, up, channels);
    }
  }
}

function addUpsample(out: ModuleList, ldm: string, up: number, channels: number): void {
  const place: Place = { ldm, diffusers: `up_blocks.${up}.upsamplers.0`, block: "upsample" };
  add(out, place, "conv", "conv", { kind: "conv3x3", inFeatures: channels, outFeatures: channels });
}

function addHead(out: ModuleList, unet: UnetConfig): void {
  const place: Place = { ldm: "", diffusers: "", block: "stem" };
  const { channels } = level(unet, 0);
  addNorm(out, place, "out.0", "conv_norm_out", channels);
  add(out, place, "out.2", "conv_out", {
    kind: "conv3x3",
    inFeatures: channels,
    outFeatures: unet.outChannels,
  });
}

function addResnet(
  out: ModuleList,
  unet: UnetConfig,
  ldm: string,
  diffusers: string,
  inFeatures: number,
  outFeatures: number,
): void {
  const place: Place = { ldm, diffusers, block: "resnet" };
  addNorm(out, place, "in_layers.0", "norm1", inFeatures);
  add(out, place, "in_layers.2", "conv1", { kind: "conv3x3", inFeatures, outFeatures });
  add(out, place, "emb_layers.1", "time_emb_proj", {
    kind: "linear",
    inFeatures: timeDim(unet),
    outFeatures,
  });
  addNorm(out, place, "out_layers.0", "norm2", outFeatures);
  add(out, place, "out_layers.3", "conv2", { kind: "conv3x3", inFeatures: outFeatures, outFeatures });
  if (inFeatures !== outFeatures) {
    add(out, place, "skip_connection", "conv_shortcut", { kind: "conv1x1", inFeatures, outFeatures });
  }
}

/** A transformer unit of `depth` blocks; nothing when the level has none. */
function addTransformer(
  out: ModuleList,
  unet: UnetConfig,
  ldm: string,
  diffusers: string,
  channels: number,
  depth: number,
): void {
  if (depth === 0) return;
  const place: Place = { ldm, diffusers, block: "transformer" };
  const kind: ModuleKind = unet.useLinearProjection ? "linear" : "conv1x1";
  const square = { kind, inFeatures: channels, outFeatures: channels };
  addNorm(out, place, "norm", "norm", channels);
  add(out, place, "proj_in", "proj_in", square);
  for (let k = 0; k < depth; k++) addTransformerBlock(out, unet, place, `transformer_blocks.${k}`, channels);
  add(out, place, "proj_out", "proj_out", square);
}

function addTransformerBlock(
  out: ModuleList,
  unet: UnetConfig,
  place: Place,
  name: string,
  channels: number,
): void {
  const linear = (leaf: string, inFeatures: number, outFeatures: number, bias: boolean) =>
    add(out, place, `${name}.${leaf}`, `${name}.${leaf}`, { kind: "linear", inFeatures, outFeatures, bias });
  const attention = (attn: string, contextDim: number) => {
    linear(`${attn}.to_q`, channels, channels, false);
    linear(`${attn}.to_k`, contextDim, channels, false);
    linear(`${attn}.to_v`, contextDim, channels, false);
    linear(`${attn}.to_out.0`, channels, channels, true);
  };
  attention("attn1", channels);
  linear("ff.net.0.proj", channels, channels * 8, true);
  linear("ff.net.2", channels * 4, channels, true);
  attention("attn2", unet.contextDim);
  for (const norm of ["norm1", "norm2", "norm3"])
    addNorm(out, place, `${name}.${norm}`, `${name}.${norm}`, channels);
}
