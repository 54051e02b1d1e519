/** The small models as files in a folder, for tests that choose them as a person would. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tinyClip } from "./tinyClip";
import { tinyFlorence } from "./tinyFlorence";
import { tinySmolVlm } from "./tinySmolVlm";
import { tinyTagger } from "./tinyTagger";

function write(folder: string, files: Record<string, Uint8Array | string>): string {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return folder;
}

export interface SmallModels {
  clip: string;
  tagger: string;
  florence: string;
  smolVlm: string;
}

/** @returns the folder of each model below `out` */
export function writeSmallModels(out: string, seed: number): SmallModels {
  const { image, text } = tinyClip(seed);
  const { model, tags } = tinyTagger();
  return {
    clip: write(path.join(out, "clip"), { "vision_model.onnx": image, "text_model.onnx": text }),
    tagger: write(path.join(out, "tagger"), { "model.onnx": model, "selected_tags.csv": tags }),
    florence: write(path.join(out, "florence-2-tiny"), tinyFlorence()),
    smolVlm: write(path.join(out, "smolvlm-tiny"), tinySmolVlm()),
  };
}
