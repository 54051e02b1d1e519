/** sd-scripts' dataset config: TOML with [general], [[datasets]] and [[datasets.subsets]]. Reading and writing. */
import { parse, stringify, type TomlTable } from "smol-toml";
import * as v from "valibot";
import { WeftError } from "../base/errors";

/** How a folder is trained, whichever table said so. */
export interface SubsetConfig {
  /** As written: a folder on someone's disk. */
  imageDir: string;
  repeats: number;
  classTokens: string | undefined;
  /** Without its dot. */
  captionExtension: string | undefined;
}

export interface DatasetConfig {
  subsets: SubsetConfig[];
  /** The square of the first dataset that has one. */
  resolution: number | undefined;
  /** Keys that were read by name only: Weft has other ways for them, or none. */
  unused: string[];
}

export const maxConfigBytes = 1024 ** 2;

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000));
const size = v.pipe(v.number(), v.integer(), v.minValue(16), v.maxValue(8192));
const shared = {
  num_repeats: v.optional(count),
  class_tokens: v.optional(v.string()),
  caption_extension: v.optional(v.string()),
};
const general = v.looseObject({ ...shared, resolution: v.optional(v.union([size, v.tuple([size, size])])) });
const subset = v.looseObject({
  ...shared,
  image_dir: v.optional(v.string()),
  is_reg: v.optional(v.boolean()),
});
const dataset = v.looseObject({ ...general.entries, subsets: v.optional(v.array(subset), []) });
const config = v.looseObject({ general: v.optional(general, {}), datasets: v.array(dataset) });

const used = new Set([
  ...Object.keys(general.entries),
  ...Object.keys(subset.entries),
  "subsets",
  // What every run of Weft does by itself.
  "enable_bucket",
]);

function bad(detail: string): WeftError {
  return new WeftError(
    "bad-config",
    `is a dataset config with a fault: ${detail}`,
    "Repair it, or drop the folders without it.",
  );
}

/** Where in the config a value is wrong: "datasets.0.subsets.1.num_repeats". */
function faultOf(issues: readonly v.BaseIssue<unknown>[]): string {
  const [issue] = issues;
  const place = issue?.path?.map(({ key }) => String(key)).join(".") ?? "";
  return `${place}: ${issue?.message ?? "unknown"}`;
}

/**
 * Reads a config. Regularisation folders are left out and named in `unused`.
 * @returns undefined when the file is TOML of some other program.
 * @throws WeftError `bad-config`; the message reads after the file's name.
 */
export function readDatasetToml(content: string): DatasetConfig | undefined {
  let table: TomlTable;
  try {
    table = parse(content);
  } catch (error) {
    throw bad(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
  if (!("datasets" in table)) return undefined;
  const parsed = v.safeParse(config, table);
  if (!parsed.success) throw bad(faultOf(parsed.issues));
  return flatten(parsed.output);
}

/** Looks every key up where the trainer does: in the subset, then its dataset, then [general]. */
function flatten({ general: top, datasets }: v.InferOutput<typeof config>): DatasetConfig {
  const unused = new Set<string>();
  const note = (keys: object): void => {
    for (const key of Object.keys(keys)) if (!used.has(key)) unused.add(key);
  };
  note(top);
  const subsets: SubsetConfig[] = [];
  for (const one of datasets) {
    note(one);
    for (const part of one.subsets) {
      note(part);
      if (part.is_reg) unused.add("is_reg");
      if (part.image_dir === undefined || part.is_reg) continue;
      subsets.push({
        imageDir: part.image_dir,
        repeats: part.num_repeats ?? one.num_repeats ?? top.num_repeats ?? 1,
        classTokens: part.class_tokens ?? one.class_tokens ?? top.class_tokens,
        captionExtension: (part.caption_extension ?? one.caption_extension ?? top.caption_extension)?.replace(
          /^\./,
          "",
        ),
      });
    }
  }
  const resolution = [...datasets, top].map((one) => one.resolution).find((one) => one !== undefined);
  return {
    subsets,
    resolution: Array.isArray(resolution) ? Math.round(Math.sqrt(resolution[0] * resolution[1])) : resolution,
    unused: [...unused].sort(),
  };
}

export interface WrittenSubset {
  imageDir: string;
  repeats: number;
  classTokens: string;
  /** With its dot. */
  captionExtension: string;
}

/** Bucket limits as the config names them. */
export interface WrittenBuckets {
  resolution: number;
  minSize: number;
  maxSize: number;
  step: number;
}

/**
 * The config that trains these folders as Weft does. Paths are relative to the config.
 * @param alphaMask transparent parts are left out of the loss
 */
export function writeDatasetToml(
  subsets: readonly WrittenSubset[],
  buckets: WrittenBuckets,
  alphaMask = false,
): string {
  const table = {
    datasets: [
      {
        resolution: buckets.resolution,
        enable_bucket: true,
        min_bucket_reso: buckets.minSize,
        max_bucket_reso: buckets.maxSize,
        bucket_reso_steps: buckets.step,
        bucket_no_upscale: false,
        batch_size: 1,
        subsets: subsets.map(({ imageDir, repeats, classTokens, captionExtension }) => ({
          image_dir: imageDir,
          num_repeats: repeats,
          class_tokens: classTokens,
          caption_extension: captionExtension,
          ...(alphaMask && { alpha_mask: true }),
        })),
      },
    ],
  };
  return `# Start sd-scripts in this folder: --dataset_config dataset.toml\n${stringify(table)}\n`;
}
