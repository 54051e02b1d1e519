/** Golden kind `checkpoint`: what a loader must find in a model file. */
import path from "node:path";
import type { CheckpointConfig, TextConfig } from "../../../src/formats/checkpoint/config";
import { detectCheckpoint, type DetectedCheckpoint } from "../../../src/formats/checkpoint/detect";
import { readTensor } from "../../../src/formats/safetensors/tensor";
import { openFileSource, type FileSource } from "../../lib/fileSource";
import type { VerifyKind, VerifyOutcome } from "../types";

interface Probe {
  key: string;
  shape: number[];
  sum: number;
  sum_sq: number;
  first: number[];
  last: number;
}
interface CheckpointCase {
  model: string;
  params: { config: GoldenConfig };
  tensor_count: number;
  parts: Record<string, { tensors: number; parameters: number }>;
  ignored_keys: string[];
  probes: Probe[];
  tolerance: { rel: number; abs: number };
}
type GoldenConfig = Record<string, unknown> & { unet: { transformer_depth: number | number[] } };

export const kind: VerifyKind = {
  name: "checkpoint",
  async run(c): Promise<VerifyOutcome[]> {
    const golden = c.case as unknown as CheckpointCase;
    const source = await openFileSource(path.join(c.root, golden.model));
    try {
      const found = await detectCheckpoint(source);
      return [contents(found, golden), await probes(source, found, golden)];
    } finally {
      await source.close();
    }
  },
};

/** Configuration, counts and ignored keys. */
function contents(found: DetectedCheckpoint, golden: CheckpointCase): VerifyOutcome {
  const pairs: [string, unknown, unknown][] = [
    ["config", sorted(goldenForm(found.config, golden.params.config)), sorted(golden.params.config)],
    ["tensor_count", found.header.tensors.size, golden.tensor_count],
    ["parts", sorted(Object.fromEntries(found.parts)), sorted(golden.parts)],
    ["ignored_keys", found.ignoredKeys, golden.ignored_keys],
  ];
  const wrong = pairs.filter(([, a, b]) => JSON.stringify(a) !== JSON.stringify(b));
  const detail = wrong.map(([what, a, b]) => `${what}: ${JSON.stringify(a)} instead of ${JSON.stringify(b)}`);
  return {
    name: "contents",
    status: wrong.length > 0 ? "failed" : "passed",
    ...(detail[0] ? { detail: detail.join("; ") } : {}),
  };
}

/** Our configuration with the golden data's field names. */
function goldenForm(
  { family, prediction, unet, text, text2, vae }: CheckpointConfig,
  golden: GoldenConfig,
): object {
  const depths = unet.transformerDepth;
  const uniform = typeof golden.unet.transformer_depth === "number";
  return {
    family,
    prediction,
    unet: {
      channels: unet.channels,
      ...(unet.numHeads === undefined
        ? { num_head_channels: unet.numHeadChannels }
        : { num_heads: unet.numHeads }),
      context_dim: unet.contextDim,
      use_linear_projection: unet.useLinearProjection,
      transformer_depth: uniform ? Math.max(...depths) : depths,
      ...(uniform ? {} : { transformer_depth_middle: unet.transformerDepthMiddle }),
      ...(unet.admInChannels === undefined
        ? {}
        : { adm_in_channels: unet.admInChannels, size_embedding_dim: unet.sizeEmbeddingDim }),
    },
    text: textForm(text),
    ...(text2 ? { text2: { ...textForm(text2), projection: text2.projection } } : {}),
    vae: { ch: vae.ch, ch_mult: vae.chMult, scaling_factor: vae.scalingFactor },
  };
}

function textForm(text: TextConfig): object {
  const { hidden, heads, layers, intermediate, activation } = text;
  return { vocab_size: text.vocab, hidden, heads, layers, intermediate, activation };
}

/** The same value with object keys in order. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, sorted(item)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sums in double precision and the first and last values of some tensors. */
async function probes(
  source: FileSource,
  found: DetectedCheckpoint,
  golden: CheckpointCase,
): Promise<VerifyOutcome> {
  let error = 0;
  const wrong: string[] = [];
  for (const probe of golden.probes) {
    const info = found.tensors.get(probe.key);
    if (!info || info.shape.join() !== probe.shape.join()) {
      wrong.push(`${probe.key} is absent or has another shape`);
      continue;
    }
    const values = await readTensor(source, info, "f32");
    const worst = Math.max(...deviations(values, probe, golden.tolerance.abs));
    error = Math.max(error, worst);
    if (!(worst <= golden.tolerance.rel)) wrong.push(`${probe.key} differs by ${worst.toExponential(1)}`);
  }
  const detail = wrong.slice(0, 3).join("; ");
  return {
    name: "probes",
    status: wrong.length > 0 ? "failed" : "passed",
    error,
    ...(detail ? { detail } : {}),
  };
}

/** Relative differences, zero where within `abs`. */
function deviations(values: Float32Array, probe: Probe, abs: number): number[] {
  let sum = 0;
  let squares = 0;
  for (const x of values) {
    sum += x;
    squares += x * x;
  }
  const got = [sum, squares, ...values.slice(0, 3), values.at(-1) ?? Number.NaN];
  const want = [probe.sum, probe.sum_sq, ...probe.first, probe.last];
  return want.map((w, i) => {
    const difference = Math.abs((got[i] ?? Number.NaN) - w);
    return difference <= abs ? 0 : difference / Math.abs(w);
  });
}
