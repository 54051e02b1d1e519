/** A training session set up as a golden case says: model, LoRA file, text states. */
import path from "node:path";
import { channelsLast, concatenate } from "../../../src/base/layout";
import { readLora } from "../../../src/formats/lora/read";
import type { LoadedModel } from "../../../src/models/loadedModel";
import { bindTarget, LoraBinding, type LoraTarget } from "../../../src/models/lora/binding";
import { extractLora, fillLora, type LoraMatrices } from "../../../src/models/lora/flatValues";
import { TrainingSession, type StepInputs } from "../../../src/training/trainingSession";
import type { TrainingShape } from "../../../src/training/trainingGraph";
import { openFileSource } from "../../lib/fileSource";
import type { GoldenTensor, VerifyCase } from "../types";
import { integerRows, params } from "./goldenModel";
import { goldenSizes } from "./goldenSizes";

export interface GoldenSession {
  readonly session: TrainingSession;
  readonly shape: TrainingShape;
  readonly rank: number;
  readonly alpha: number;
  /** Conditioning of captions by row of the case's `ids`. */
  readonly conditioning: (
    rows: readonly number[],
  ) => Promise<Pick<StepInputs, "context" | "pooled" | "captions" | "sizes">>;
  /** The values or gradients of a flat buffer as kohya tensors, by key. */
  readonly tensors: (role: "parameter" | "gradient") => Promise<Map<string, Float32Array>>;
}

/** @param image shape `[_, channels, height, width]` of the latents in the case */
export async function goldenSession(
  c: VerifyCase,
  model: LoadedModel,
  ids: GoldenTensor,
  image: readonly number[],
  batch: number,
  masked = false,
): Promise<GoldenSession> {
  const p = params(c);
  const modules = await readModules(c, model, String(p["lora"]));
  const targets = [...modules.values()].map(({ target }) => target);
  const [first] = modules.values();
  const rank = first?.matrices.rank ?? 0;
  const alpha = first?.matrices.alpha ?? rank;
  const clipSkip = Number(p["clip_skip"] ?? 1);
  const trainTextEncoder = p["train_te"] === true;
  const lora = new LoraBinding(targets, rank, alpha / rank);
  const [, , height = 0, width = 0] = image;
  const shape = { batch, height, width, tokens: 77 };
  const session = await TrainingSession.create(model, [shape], {
    lora,
    trainTextEncoder,
    clipSkip,
    recompute: false,
    memoryLimit: 0,
    masked,
    keepPrediction: true,
  });
  const matrices = new Map([...modules].map(([name, module]) => [name, module.matrices]));
  session.buffers.write("parameter", fillLora(session.layout, lora.groups, matrices));
  const rows = integerRows(ids);
  const texts = trainTextEncoder ? [] : await model.encodeText(rows, model.clipSkip(clipSkip));
  return {
    session,
    shape,
    rank,
    alpha,
    conditioning: async (indices) => {
      const sizes = await goldenSizes(c, batch, height, width);
      if (trainTextEncoder) return { captions: indices.map((row) => rows[row] ?? []), sizes };
      const chosen = indices.flatMap((row) => texts[row] ?? []);
      const pooled = chosen.flatMap((text) => text.pooled ?? []);
      return {
        context: concatenate(chosen.map((text) => text.context)),
        ...(pooled.length > 0 && { pooled: concatenate(pooled) }),
        sizes,
      };
    },
    tensors: async (role) =>
      namedTensors(extractLora(await session.buffers.read(role), session.layout, lora.groups, rank, alpha)),
  };
}

async function readModules(
  c: VerifyCase,
  model: LoadedModel,
  file: string,
): Promise<Map<string, { matrices: LoraMatrices; target: LoraTarget }>> {
  const source = await openFileSource(path.join(c.root, file));
  try {
    const { modules } = await readLora(source, model.config);
    return new Map(
      modules.map(({ name, tensors, alpha, target }) => {
        const down = tensors.get("lora_down.weight");
        const up = tensors.get("lora_up.weight");
        if (!down || !up) throw new Error(`${name} is no plain LoRA`);
        const rank = down.shape[0] ?? 0;
        const matrices = {
          name,
          rank,
          alpha: alpha ?? rank,
          inputs: target.inFeatures,
          outputs: target.outFeatures,
          down: down.data,
          up: up.data,
        };
        return [name, { matrices, target: bindTarget(target) }];
      }),
    );
  } finally {
    await source.close();
  }
}

function namedTensors(modules: readonly LoraMatrices[]): Map<string, Float32Array> {
  return new Map(
    modules.flatMap(
      ({ name, down, up }) =>
        [
          [`${name}.lora_down.weight`, down],
          [`${name}.lora_up.weight`, up],
        ] as const,
    ),
  );
}

/** Images `[batch, channels, height, width]` as the session wants them. */
export function latentsOf(
  values: ArrayLike<number>,
  { batch, height, width }: TrainingShape,
  channels: number,
): Float32Array<ArrayBuffer> {
  return channelsLast(values, batch, channels, height * width);
}
