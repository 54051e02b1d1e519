/**
 * Opens a model of the library: its index and its first weights are read; the others follow, already packed, when a
 * program asks.
 */
import { WeftError } from "../../base/errors";
import { configOf, openCachedModel, type CachedModel } from "../../checkpoints/cachedModel";
import { lockOf, MODELS_FOLDER } from "../../checkpoints/library";
import type { EngineDevice } from "../../engine/device";
import { fromBlob } from "../../formats/safetensors/source";
import { LoadedModel } from "../../models/loadedModel";
import { opfsFolder } from "../../storage/opfs";
import type { ModelSource } from "./api";

/** A model on the device, and what the page knows it by. */
export interface Opening {
  readonly id: string;
  readonly model: LoadedModel;
  /** Of the checkpoint file. */
  readonly sha256: string;
  readonly fileBytes: number;
  /** Lets others delete the kept file. */
  readonly close?: () => void;
}

/** @throws WeftError `not-kept`, `cache-damaged`, or what the model lacks */
export async function openKept(
  { name, vae }: Extract<ModelSource, { kind: "kept" }>,
  device: Promise<EngineDevice>,
): Promise<Opening> {
  const closers = await Promise.all([name, ...(vae === undefined ? [] : [vae])].map(hold));
  const close = () => closers.forEach((release) => release());
  try {
    const model = await read(name, vae === undefined ? undefined : await read(vae));
    await model.readFirst();
    const { storage, sha256, sourceBytes } = model.index;
    const activationType = storage === "f32" ? "f32" : "f16";
    const loaded = new LoadedModel(await device, {
      config: configOf(model),
      source: model,
      weightType: storage,
      activationType,
    });
    return {
      id: vae === undefined ? name : `${name}+${vae}`,
      model: loaded,
      sha256,
      fileBytes: sourceBytes,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function read(name: string, vae?: CachedModel): Promise<CachedModel> {
  const blob = await opfsFolder(MODELS_FOLDER).snapshot(name);
  if (blob) return openCachedModel(fromBlob(blob, name), vae);
  throw new WeftError(
    "not-kept",
    "This model is not kept here any more.",
    "Import it again in the Model room.",
  );
}

/** Holds the model's lock, together with other readers, until the returned function is called. */
function hold(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(
        lockOf(name),
        { mode: "shared" },
        () => new Promise<void>((release) => resolve(() => release())),
      )
      .catch(reject);
  });
}
