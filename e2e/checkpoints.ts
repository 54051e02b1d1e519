/** Base models as files and folders, complete and tiny, made when needed. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tinyConfig, tinyFile, tinyTensors } from "../src/formats/checkpoint/testing/tinyCheckpoint";
import { writeSafetensors } from "../src/formats/safetensors/write";
import { diffusersFiles } from "../tools/lib/diffusersFolder";

/** A Stable Diffusion 1.x checkpoint in one file. */
export function checkpointFile(folder: string): { file: string; sha256: string } {
  const bytes = tinyFile(tinyConfig("sd1"));
  const file = path.join(folder, "tiny.safetensors");
  writeFileSync(file, bytes);
  return { file, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** The same kind of model as a diffusers folder, its UNet in two shards. */
export function checkpointFolder(folder: string): string {
  const place = path.join(folder, "tiny-folder");
  const config = tinyConfig("sd1");
  for (const file of diffusersFiles(config, tinyTensors(config, "F16", 3), { shards: 2 })) {
    const target = path.join(place, file.path);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, file.bytes);
  }
  return place;
}

/** A VAE alone, with other values. */
export function vaeFile(folder: string): string {
  const tensors = [...tinyTensors(tinyConfig("sd1"), "F16", 5).values()]
    .filter(({ name }) => name.startsWith("first_stage_model."))
    .map((tensor) => ({ ...tensor, name: tensor.name.replace("first_stage_model.", "") }));
  const file = path.join(folder, "vae.safetensors");
  writeFileSync(file, writeSafetensors(tensors, new Map()));
  return file;
}
