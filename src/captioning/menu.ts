/** The captioners there are, for menus: what each is good for, its models and settings. One record each. */
import { describerFields, instructedFields } from "./captioners/describerFields";
import { interrogatorFields } from "./captioners/interrogatorFields";
import { miniFields } from "./captioners/miniFields";
import { taggerFields } from "./captioners/taggerFields";
import type { Fields } from "./settings";

/** A model that a captioner can use, with the site or on the hub. */
export interface CaptionModel {
  id: string;
  label: string;
  from: { kind: "site"; folder: string } | { kind: "hub"; repo: string; revision: string };
  /** What the captioner calls a file → its path. Files that are not named here keep their path. */
  files: Readonly<Record<string, string>>;
  /** Download in bytes, as published. */
  bytes: number;
  license: string;
  /** Settings that this model wants otherwise. */
  settings?: Readonly<Record<string, number | boolean | string>>;
}

export interface CaptionerMeta {
  label: string;
  /** One line: when to choose it. */
  goodFor: string;
  kind: "interrogator" | "tagger" | "describer";
  models: readonly CaptionModel[];
  fields: Fields;
  /** Small models start faster on the processor, and leave the GPU to training. */
  runsOn: "processor" | "gpu";
  /** Takes its sentence from a describer the person may choose. */
  takesDescriber?: boolean;
  /** Ranks against phrase lists. */
  usesLists?: boolean;
  /** The files a person chooses to use a model of their own. */
  ownFiles?: string;
}

const MB = 1e6;

function hub(
  id: string,
  label: string,
  repo: string,
  size: number,
  license: string,
  more: Partial<CaptionModel> = {},
): CaptionModel {
  return {
    id,
    label,
    from: { kind: "hub", repo, revision: "main" },
    files: {},
    bytes: size * MB,
    license,
    ...more,
  };
}

/** Parts of a CLIP export by transformers.js, in one precision. */
function clipFiles(precision: string): Record<string, string> {
  return {
    "image.onnx": `onnx/vision_model${precision}.onnx`,
    "text.onnx": `onnx/text_model${precision}.onnx`,
  };
}

function tagger(name: string, label: string, size: number, threshold: number): CaptionModel {
  return hub(name, label, `SmilingWolf/${name}`, size, "Apache-2.0", {
    settings: { generalThreshold: threshold },
  });
}

export const captioners = {
  mini: {
    label: "Mini's captioner",
    goodFor: "Drawings, icons and emoji. Ships with Weft: nothing to download, a moment per picture.",
    kind: "interrogator",
    models: [
      {
        id: "mini",
        label: "Mini",
        from: { kind: "site", folder: "captioner/" },
        files: {},
        bytes: 0,
        license: "MIT",
      },
    ],
    fields: miniFields,
    runsOn: "processor",
  },
  florence2: {
    label: "Florence-2",
    goodFor: "One or more sentences about any picture. The best start for photographs and paintings.",
    kind: "describer",
    models: [
      hub("florence-2-base-ft", "Base", "onnx-community/Florence-2-base-ft", 340, "MIT"),
      hub("florence-2-large-ft", "Large: better, slower", "onnx-community/Florence-2-large-ft", 850, "MIT"),
    ],
    fields: describerFields,
    runsOn: "gpu",
    ownFiles: "The model's folder: config.json, tokenizer files and onnx/",
  },
  tagger: {
    label: "WD tagger",
    goodFor: "Anime and manga art, as booru tags.",
    kind: "tagger",
    models: [
      tagger("wd-vit-tagger-v3", "ViT v3", 379, 0.2614),
      tagger("wd-swinv2-tagger-v3", "SwinV2 v3: better, slower", 467, 0.2653),
      tagger("wd-convnext-tagger-v3", "ConvNext v3", 395, 0.2682),
      tagger("wd-eva02-large-tagger-v3", "EVA-02 large v3: best, slow", 1260, 0.5296),
      tagger("wd-v1-4-moat-tagger-v2", "MOAT v2", 330, 0.3771),
    ],
    fields: taggerFields,
    runsOn: "gpu",
    ownFiles: "model.onnx and selected_tags.csv (or tag_mapping.json)",
  },
  interrogator: {
    label: "CLIP Interrogator",
    goodFor: "Prompts: medium, movement, mood and detail phrases, ranked by how well they fit.",
    kind: "interrogator",
    models: [
      hub(
        "clip-vit-large-patch14",
        "ViT-L/14, as Stable Diffusion 1 has it",
        "Xenova/clip-vit-large-patch14",
        432,
        "MIT",
        {
          files: clipFiles("_quantized"),
        },
      ),
      hub(
        "clip-vit-large-patch14-f32",
        "ViT-L/14, full precision",
        "Xenova/clip-vit-large-patch14",
        1715,
        "MIT",
        {
          files: clipFiles(""),
        },
      ),
      hub(
        "clip-vit-base-patch32",
        "ViT-B/32: small, less exact",
        "Xenova/clip-vit-base-patch32",
        153,
        "MIT",
        {
          files: clipFiles("_quantized"),
        },
      ),
    ],
    fields: interrogatorFields,
    runsOn: "gpu",
    takesDescriber: true,
    usesLists: true,
    ownFiles: "Two ONNX files: the image encoder and the text encoder, with their projections",
  },
  smolvlm: {
    label: "SmolVLM",
    goodFor: "Follows instructions: “describe it, but not the style”.",
    kind: "describer",
    models: [
      hub("smolvlm-256m", "256M", "HuggingFaceTB/SmolVLM-256M-Instruct", 250, "Apache-2.0"),
      hub("smolvlm-500m", "500M: better, slower", "HuggingFaceTB/SmolVLM-500M-Instruct", 500, "Apache-2.0"),
    ],
    fields: instructedFields,
    runsOn: "gpu",
    ownFiles: "The model's folder: config.json, tokenizer files and onnx/",
  },
} as const satisfies Record<string, CaptionerMeta>;

export type CaptionerId = keyof typeof captioners;
export const captionerIds = Object.keys(captioners) as CaptionerId[];

/** The record of a captioner, with the type all of them share. */
export function captionerMeta(id: CaptionerId): CaptionerMeta {
  return captioners[id];
}
