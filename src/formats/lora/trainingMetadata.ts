/** The `ss_*` metadata that sd-scripts writes and every LoRA tool reads. */
import type { FamilyName, PredictionName } from "../checkpoint/config";
import type { TrainingFacts } from "./facts";
import { pyFloat, pyJson, pyStr, type PyJson } from "./python";

/** One folder stands for the whole dataset: folder names on the person's disk are nobody's business. */
const DATASET_FOLDER = "images";

/** `ss_*` keys and values, in sd-scripts' order. */
export function trainingMetadata(facts: TrainingFacts): Map<string, string> {
  return new Map([
    ...runEntries(facts),
    ...networkEntries(facts),
    ...modelEntries(facts),
    ...lossEntries(facts),
    ...datasetEntries(facts),
  ]);
}

type Entries = [string, string][];

function runEntries(facts: TrainingFacts): Entries {
  return [
    ["ss_training_started_at", pyFloat(facts.startedAt)],
    ["ss_training_finished_at", pyFloat(facts.finishedAt)],
    ["ss_output_name", facts.outputName],
    ["ss_learning_rate", pyFloat(facts.learningRate)],
    ["ss_unet_lr", pyFloat(facts.unetLearningRate)],
    ["ss_text_encoder_lr", pyFloat(facts.textEncoderLearningRate)],
    ["ss_num_train_images", String(facts.images.count * facts.images.repeats)],
    ["ss_num_reg_images", "0"],
    ["ss_num_batches_per_epoch", String(facts.batchesPerEpoch)],
    ["ss_num_epochs", String(facts.epochs)],
    ["ss_epoch", String(facts.epoch)],
    ["ss_steps", String(facts.steps)],
    ["ss_max_train_steps", String(facts.maxSteps)],
    ["ss_batch_size_per_device", String(facts.batchSize)],
    ["ss_total_batch_size", String(facts.batchSize)],
    ["ss_gradient_checkpointing", pyStr(facts.gradientCheckpointing)],
    ["ss_gradient_accumulation_steps", String(facts.gradientAccumulation)],
    ["ss_lr_warmup_steps", String(facts.scheduler.warmupSteps)],
    ["ss_lr_scheduler", facts.scheduler.name],
    ["ss_optimizer", optimizerText(facts)],
    ["ss_max_grad_norm", pyFloat(facts.maxGradNorm)],
    ["ss_mixed_precision", facts.mixedPrecision],
    ["ss_full_fp16", "False"],
    ["ss_lowram", "False"],
    ["ss_cache_latents", "True"],
    ["ss_seed", String(facts.seed)],
    ...optional("ss_training_comment", facts.about?.comment),
  ];
}

/** `name(key=value,...)` as sd-scripts prints optimizers. */
function optimizerText({ optimizer }: TrainingFacts): string {
  const args = [...optimizer.args].map(([key, value]) => {
    return `${key}=${typeof value === "number" ? pyFloat(value) : pyStr(value)}`;
  });
  return args.length > 0 ? `${optimizer.name}(${args.join(",")})` : optimizer.name;
}

function networkEntries({ network }: TrainingFacts): Entries {
  const { conv } = network;
  const args =
    conv &&
    pyJson(
      new Map([
        ["conv_dim", String(conv.rank)],
        ["conv_alpha", pyFloat(conv.alpha)],
      ]),
    );
  return [
    ["ss_network_module", "networks.lora"],
    ["ss_network_dim", String(network.rank)],
    ["ss_network_alpha", pyFloat(network.alpha)],
    ["ss_network_dropout", pyFloat(network.dropout)],
    ...optional("ss_network_args", args),
  ];
}

function modelEntries(facts: TrainingFacts): Entries {
  return [
    ["ss_base_model_version", baseModelVersion(facts.family, facts.prediction)],
    ["ss_v2", pyStr(facts.family === "sd2")],
    ["ss_clip_skip", facts.clipSkip === null ? "None" : String(facts.clipSkip)],
    ["ss_max_token_length", facts.maxTokenLength === null ? "None" : String(facts.maxTokenLength)],
    ["ss_sd_model_name", withoutFolders(facts.baseModel.name)],
    ...optional("ss_new_sd_model_hash", facts.baseModel.sha256),
  ];
}

function withoutFolders(name: string): string {
  return name.replace(/^.*[/\\]/, "");
}

function baseModelVersion(family: FamilyName, prediction: PredictionName): string {
  if (family === "sdxl") return "sdxl_base_v1-0";
  const version = family === "sd2" ? "sd_v2" : "sd_v1";
  return prediction === "v" ? `${version}_v` : version;
}

function lossEntries(facts: TrainingFacts): Entries {
  return [
    ["ss_noise_offset", pyFloat(facts.noiseOffset)],
    ["ss_multires_noise_iterations", "None"],
    ["ss_multires_noise_discount", "0.3"],
    ["ss_adaptive_noise_scale", "None"],
    ["ss_zero_terminal_snr", "False"],
    ["ss_min_snr_gamma", pyFloat(facts.minSnrGamma)],
    ["ss_debiased_estimation", "False"],
    ["ss_scale_weight_norms", "None"],
    ["ss_prior_loss_weight", "1.0"],
    ["ss_loss_type", facts.lossType],
  ];
}

function datasetEntries(facts: TrainingFacts): Entries {
  const { captions, images, resolution } = facts;
  const folder = `${images.repeats}_${DATASET_FOLDER}`;
  const counts: PyJson = new Map([
    ["n_repeats", images.repeats],
    ["img_count", images.count],
  ]);
  return [
    ["ss_resolution", `(${resolution[0]}, ${resolution[1]})`],
    ["ss_shuffle_caption", pyStr(captions.shuffle)],
    ["ss_keep_tokens", String(captions.keepTokens)],
    ["ss_caption_dropout_rate", pyFloat(captions.dropoutRate)],
    ["ss_caption_dropout_every_n_epochs", String(captions.dropoutEveryEpochs)],
    ["ss_caption_tag_dropout_rate", pyFloat(captions.tagDropoutRate)],
    ["ss_color_aug", "False"],
    ["ss_flip_aug", pyStr(facts.flip)],
    ["ss_random_crop", "False"],
    ["ss_face_crop_aug_range", "None"],
    ["ss_enable_bucket", pyStr(facts.buckets.size > 0)],
    ["ss_dataset_dirs", pyJson(new Map([[folder, counts]]))],
    ["ss_reg_dataset_dirs", "{}"],
    ["ss_bucket_info", bucketInfo(facts)],
    ...optional(
      "ss_tag_frequency",
      facts.tagFrequency && pyJson(new Map([[folder, new Map(facts.tagFrequency)]])),
    ),
  ];
}

function bucketInfo({ buckets }: TrainingFacts): string {
  if (buckets.size === 0) return "null";
  const list = [...buckets].map(([index, { resolution, count }]): [string, PyJson] => {
    return [
      index,
      new Map<string, PyJson>([
        ["resolution", [...resolution]],
        ["count", count],
      ]),
    ];
  });
  return pyJson(new Map([["buckets", new Map(list)]]));
}

function optional(key: string, value: string | null | undefined): Entries {
  return value ? [[key, value]] : [];
}
