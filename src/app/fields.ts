/** The Advanced list as data: the label people read, kohya's name for it, and what may be entered. */
import type { TrainingSettings } from "../workers/engine/api";

type KeysOf<T> = {
  [K in keyof TrainingSettings]: TrainingSettings[K] extends T ? K : never;
}[keyof TrainingSettings];

interface Common {
  label: string;
  /** The option's name in kohya's sd-scripts. */
  kohya: string;
  help: string;
}

export type Field = Common &
  (
    | { kind: "number"; key: KeysOf<number>; min: number; max: number; step: 1 | "any" }
    | { kind: "toggle"; key: KeysOf<boolean> }
    | {
        kind: "choice";
        key: "lrScheduler";
        options: { value: TrainingSettings["lrScheduler"]; label: string }[];
      }
    | { kind: "text"; key: KeysOf<string> }
  );

const number = (
  key: KeysOf<number>,
  label: string,
  kohya: string,
  min: number,
  max: number,
  help: string,
  step: 1 | "any" = "any",
): Field => ({
  kind: "number",
  key,
  label,
  kohya,
  min,
  max,
  step,
  help,
});
const whole = (
  key: KeysOf<number>,
  label: string,
  kohya: string,
  min: number,
  max: number,
  help: string,
): Field => number(key, label, kohya, min, max, help, 1);

const text = (key: KeysOf<string>, label: string, kohya: string, help: string): Field => ({
  kind: "text",
  key,
  label,
  kohya,
  help,
});

/** What becomes of a caption each time its picture is seen; the Dataset room shows it with real captions. */
const captionFields: readonly Field[] = [
  {
    kind: "toggle",
    key: "shuffleCaption",
    label: "Shuffle tags",
    kohya: "shuffle_caption",
    help: "For captions of comma-separated tags. The trigger word stays in front.",
  },
  whole("keepTokens", "Keep first tags", "keep_tokens", 0, 255, "Tags at the front that stay in place."),
  text(
    "keepTokensSeparator",
    "Keep separator",
    "keep_tokens_separator",
    "Tags before it stay in front, tags after a second one at the end, e.g. |||.",
  ),
  number(
    "captionTagDropout",
    "Tag dropout",
    "caption_tag_dropout_rate",
    0,
    1,
    "Chance of each tag to be left out; kept tags never are.",
  ),
  whole(
    "captionDropoutEveryNEpochs",
    "Caption dropout every epochs",
    "caption_dropout_every_n_epochs",
    0,
    1000,
    "Every so many epochs goes without captions; 0 is off.",
  ),
  {
    kind: "toggle",
    key: "enableWildcard",
    label: "Wildcards",
    kohya: "enable_wildcard",
    help: "{red|blue} gives one of the two; of several lines one is taken.",
  },
  text("captionPrefix", "Caption prefix", "caption_prefix", "Put in front of every caption, with a space."),
  text("captionSuffix", "Caption suffix", "caption_suffix", "Put behind every caption, with a space."),
  text("captionSeparator", "Tag separator", "caption_separator", "What parts one tag from the next."),
  text(
    "secondarySeparator",
    "Secondary separator",
    "secondary_separator",
    "Tags joined by it stay together; it becomes the tag separator.",
  ),
  number(
    "tokenWarmupStep",
    "Tag warm-up",
    "token_warmup_step",
    0,
    20_000,
    "Steps (below 1: share of the run) until all tags are shown; 0 is off.",
  ),
  whole("tokenWarmupMin", "Tag warm-up from", "token_warmup_min", 0, 255, "Tags shown at its first step."),
];

export const advancedFields: readonly Field[] = [
  whole("rank", "Rank", "network_dim", 1, 128, "How much the LoRA can hold. Larger files, more memory."),
  number("alpha", "Alpha", "network_alpha", 0.1, 128, "Scales the LoRA by alpha ÷ rank."),
  number("learningRate", "Learning rate", "unet_lr", 1e-7, 0.1, "Size of each step for the image network."),
  {
    kind: "choice",
    key: "lrScheduler",
    label: "Learning rate over time",
    kohya: "lr_scheduler",
    help: "Cosine ends gently.",
    options: [
      { value: "cosine", label: "Cosine" },
      { value: "linear", label: "Linear" },
      { value: "constant", label: "Constant" },
      { value: "constant_with_warmup", label: "Constant with warm-up" },
    ],
  },
  whole(
    "lrWarmupSteps",
    "Warm-up steps",
    "lr_warmup_steps",
    0,
    2000,
    "Steps before the full learning rate is reached.",
  ),
  whole("batchSize", "Batch size", "train_batch_size", 1, 16, "Pictures per step. More needs more memory."),
  whole(
    "resolution",
    "Resolution",
    "resolution",
    64,
    1024,
    "Pictures are resized to about this many pixels squared.",
  ),
  {
    kind: "toggle",
    key: "trainTextEncoder",
    label: "Also train the text encoder",
    kohya: "network_train_unet_only (reversed)",
    help: "Helps names of characters; slower.",
  },
  number(
    "textEncoderLearningRate",
    "Text encoder learning rate",
    "text_encoder_lr",
    0,
    0.1,
    "Used when the text encoder is trained.",
  ),
  {
    kind: "toggle",
    key: "gradientCheckpointing",
    label: "Save memory by computing twice",
    kohya: "gradient_checkpointing",
    help: "About a third slower, the same result. Set by the memory plan until you change it.",
  },
  number(
    "memoryLimit",
    "Memory of a step (GB)",
    "not in kohya",
    0,
    512,
    "Computes twice only as much as makes a step fit into it; 0 is everything.",
  ),
  whole("clipSkip", "CLIP skip", "clip_skip", 1, 2, "2 for most anime models."),
  number(
    "captionDropout",
    "Caption dropout",
    "caption_dropout_rate",
    0,
    1,
    "Share of pictures, each time they are seen, that go without their caption.",
  ),
  ...captionFields,
  number(
    "minSnrGamma",
    "Min-SNR gamma",
    "min_snr_gamma",
    0,
    20,
    "Evens out the steps; 0 is off, 5 is usual.",
  ),
  number(
    "noiseOffset",
    "Noise offset",
    "noise_offset",
    0,
    0.5,
    "Helps very dark and very bright pictures; 0 is off.",
  ),
  number("weightDecay", "Weight decay", "optimizer_args weight_decay", 0, 1, "Pulls the LoRA towards zero."),
  number("maxGradNorm", "Gradient clipping", "max_grad_norm", 0, 10, "Limits a single step; 0 is off."),
  whole("seed", "Seed", "seed", 0, 4_294_967_295, "The same seed on the same GPU gives the same file."),
  whole(
    "sampleEvery",
    "Sample every",
    "sample_every_n_steps",
    0,
    5000,
    "Steps between sample pictures; 0 is only before and after.",
  ),
  {
    kind: "text",
    key: "samplePrompt",
    label: "Sample prompt",
    kohya: "sample_prompts",
    help: "What the sample pictures show.",
  },
  whole(
    "fixedNoiseDraws",
    "Learning check",
    "not in kohya",
    0,
    256,
    "At the end, the loss of the same so many draws of noise is compared with and without the LoRA; 0 is off.",
  ),
  whole("saveEvery", "Save every", "save_every_n_steps", 1, 5000, "Steps between checkpoints."),
];

/** Fields whose label, kohya name or help contains every word of `query`. */
export function searchFields(query: string): readonly Field[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return advancedFields.filter((field) => {
    const text = `${field.label} ${field.kohya} ${field.help}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
