/**
 * The models that are kept in this browser: one file each in a folder, complete ones and imports that were interrupted.
 * A file's name is a fingerprint of where the model came from and the storage chosen; what it is, it says itself.
 */
import { sha256 } from "hash-wasm";
import { WeftError } from "../base/errors";
import type { WeightType } from "../engine/tensor";
import type { Bundle } from "../formats/checkpoint/bundle";
import { fromBlob, type ByteSource } from "../formats/safetensors/source";
import type { FileFolder } from "../storage/randomFile";
import { readIndex } from "./cachedModel";
import { SEAL_BYTES, readRecord } from "./container";
import { importCheckpoint, type ImportHost, type ImportRequest } from "./importCheckpoint";
import { parseBeginning, parseChunk, type Origin, type PackIndex } from "./records";

/** The folder below the origin's private root. */
export const MODELS_FOLDER = "models";
const ENDING = ".weft";

/** A model, or the beginning of one, as a list shows it. */
export interface LibraryEntry {
  /** File name in the folder: what other calls take. */
  readonly name: string;
  /** `partial`: an import that was interrupted; `damaged`: neither. */
  readonly state: "complete" | "partial" | "damaged";
  readonly kind: "model" | "vae";
  readonly title: string;
  readonly storage: WeightType;
  readonly family: string;
  readonly prediction: string;
  readonly parameters: number;
  /** On disk now. */
  readonly bytes: number;
  /** Of the checkpoint it was made from. */
  readonly sourceBytes: number;
  /** Of those, how many are in; all of them when complete. */
  readonly doneBytes: number;
  readonly origin: Origin;
  /** Empty unless complete. */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Runs work while a lock is held: across all tabs, `exclusive` alone, `shared` with others. */
export interface Locks {
  /** Waits for the lock. */
  exclusive<T>(name: string, work: () => Promise<T>, onWait: () => void): Promise<T>;
  /** @returns undefined, without working, when someone holds it */
  ifFree<T>(name: string, work: () => Promise<T>): Promise<T | undefined>;
}

/** Name of the Web Lock of a model file: held by whoever imports it, shared by those that have it open. */
export function lockOf(name: string): string {
  return `weft-model-${name}`;
}

export class Library {
  readonly #folder: FileFolder;
  readonly #locks: Locks;

  constructor(folder: FileFolder, locks: Locks) {
    this.#folder = folder;
    this.#locks = locks;
  }

  /** Newest first. */
  async list(): Promise<LibraryEntry[]> {
    const names = (await this.#folder.names()).filter((name) => name.endsWith(ENDING));
    const entries = await Promise.all(names.map((name) => this.entry(name)));
    return entries.filter((entry) => entry !== undefined).sort((a, b) => b.at - a.at);
  }

  /** Undefined when there is no such file. */
  async entry(name: string): Promise<LibraryEntry | undefined> {
    const blob = await this.#folder.snapshot(name);
    if (!blob) return undefined;
    const source = fromBlob(blob, name);
    try {
      const index = await readIndex(source);
      return index ? complete(name, source.size, index) : await partial(name, source);
    } catch {
      // The file is being written: its snapshot went stale under our hands.
      return damaged(name, blob.size);
    }
  }

  /**
   * Imports a model, goes on with an interrupted import of it, or finds that it is here already. A second tab waits for
   * the first and then finds the model.
   * @param identity what tells this content from others; see {@link fingerprint}
   */
  async import(
    identity: string,
    request: ImportRequest,
    host: ImportHost & { readonly onWait: () => void },
  ): Promise<LibraryEntry> {
    const name = `${identity}.${request.storage}${request.about.kind === "vae" ? ".vae" : ""}${ENDING}`;
    const known = await this.entry(name);
    if (known?.state === "complete") return known;
    const work = () => this.#import(name, request, host);
    return this.#locks.exclusive(lockOf(name), work, host.onWait);
  }

  async #import(name: string, request: ImportRequest, host: ImportHost): Promise<LibraryEntry> {
    const known = await this.entry(name);
    if (known?.state === "complete") return known;
    host.throwIfCancelled();
    const file = await this.#folder.open(name);
    let index: PackIndex;
    let bytes: number;
    try {
      index = await importCheckpoint(request, file, host);
      bytes = file.size();
    } finally {
      file.close();
    }
    return (await this.#twin(name, index)) ?? complete(name, bytes, index);
  }

  /** The same content from another place: the newer copy goes. */
  async #twin(name: string, index: PackIndex): Promise<LibraryEntry | undefined> {
    const twin = (await this.list()).find(
      (one) =>
        one.name !== name &&
        one.state === "complete" &&
        one.sha256 === index.sha256 &&
        one.storage === index.storage &&
        one.kind === index.kind,
    );
    if (twin) await this.#folder.remove(name);
    return twin;
  }

  /** @throws WeftError `model-in-use` while a tab has it open or imports it */
  async remove(name: string): Promise<void> {
    const done = await this.#locks.ifFree(lockOf(name), async () => {
      await this.#folder.remove(name);
      return true;
    });
    if (done) return;
    throw new WeftError(
      "model-in-use",
      "This model is open or being imported, here or in another tab.",
      "Close it there, or use another model first.",
    );
  }
}

/** Samples of a file that, with its size and header, tell it from others without reading all of it. */
const SAMPLES = 16;
const SAMPLE_BYTES = 4096;

/** Hex digits that name a local checkpoint; the same file gives the same, wherever it lies. */
export async function fingerprint({ files, source, header }: Bundle): Promise<string> {
  const shapes = [...header.tensors.values()].map(({ name, begin, end }) => [name, begin, end]);
  const samples: string[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const at = Math.floor((Math.max(0, source.size - SAMPLE_BYTES) * n) / (SAMPLES - 1));
    samples.push(await sha256(await source.read(at, Math.min(SAMPLE_BYTES, source.size))));
  }
  return shortHash([files.map(({ size }) => size), shapes, samples]);
}

/** Hex digits that name a remote checkpoint: of its files' hashes, or of their addresses and versions. */
export function remoteIdentity(files: readonly (string | undefined)[]): Promise<string> {
  return shortHash(files);
}

async function shortHash(value: unknown): Promise<string> {
  return (await sha256(JSON.stringify(value))).slice(0, 32);
}

function complete(name: string, bytes: number, index: PackIndex): LibraryEntry {
  const { kind, title, storage, family, prediction, parameters, sourceBytes, origin, sha256: hash } = index;
  return {
    ...{
      name,
      state: "complete",
      kind,
      title,
      storage,
      family,
      prediction,
      parameters,
      bytes,
      sourceBytes,
      origin,
    },
    doneBytes: sourceBytes,
    sha256: hash,
    at: index.finishedAt,
  };
}

/** What an interrupted import says of itself; its progress is that of its last whole record. */
async function partial(name: string, source: ByteSource): Promise<LibraryEntry> {
  const read = (at: number, length: number) => source.read(at, length);
  const first = await readRecord(read, source.size, SEAL_BYTES);
  const beginning = first && parseBeginning(first.meta);
  if (!first || !beginning) return damaged(name, source.size);
  let at = first.end;
  let chunks = 0;
  for (;;) {
    const record = await readRecord(read, source.size, at);
    if (!record || !parseChunk(record.meta)) break;
    at = record.end;
    chunks++;
  }
  const { kind, title, storage, family, prediction, parameters, sourceBytes, origin, startedAt } = beginning;
  return {
    ...{ name, state: "partial", kind, title, storage, family, prediction, parameters, sourceBytes, origin },
    bytes: source.size,
    doneBytes: Math.min(sourceBytes, chunks * beginning.chunkBytes),
    sha256: "",
    at: startedAt,
  };
}

function damaged(name: string, bytes: number): LibraryEntry {
  return {
    ...{ name, state: "damaged", kind: "model", title: name, storage: "q8", family: "", prediction: "" },
    ...{
      parameters: 0,
      bytes,
      sourceBytes: 0,
      doneBytes: 0,
      origin: { kind: "file", name },
      sha256: "",
      at: 0,
    },
  };
}
