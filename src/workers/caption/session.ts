/** The captioner that is loaded: opened from a job, kept while jobs ask for the same. */
import { WeftError } from "../../base/errors";
import { openers } from "../../captioning";
import { captionerMeta } from "../../captioning/menu";
import { parsePhraseList } from "../../captioning/phraseList";
import { leaveOuts } from "../../captioning/presets";
import type { Captioner, CaptionerContext, Preparing, VectorCache } from "../../captioning/types";
import { createClipTokenizer, type ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import { Files } from "../../storage/records";
import type { CaptionerChoice, CaptionJob, Prepared } from "./api";
import { openModelFiles, type ModelFiles } from "./modelFiles";
import { findDevice, openRuntime, type Device } from "./runtime";

/** The job under way: what it hears, and whether it was cancelled. */
export interface Watch {
  signal: AbortSignal;
  onPreparing(step: Preparing): void;
}

const vectorFiles = new Files<Float32Array>("weft-phrase-vectors");

const vectors: VectorCache = {
  // A cache: what cannot be read or kept is computed again.
  get: (key) => vectorFiles.get(key).catch(() => undefined),
  put: (key, values) => vectorFiles.put(key, values).catch(() => undefined),
};

let tokenizer: Promise<ClipTokenizer> | undefined;

async function siteText(base: string, path: string): Promise<string> {
  const response = await fetch(new URL(path, base));
  if (!response.ok)
    throw new WeftError(
      "site-file-missing",
      `"${path}" could not be loaded.`,
      "Reload the page and try again.",
    );
  return response.text();
}

function clipTokenizer(base: string): Promise<ClipTokenizer> {
  tokenizer ??= siteText(base, "tokenizer/clip-merges.txt").then(createClipTokenizer);
  tokenizer.catch(() => (tokenizer = undefined));
  return tokenizer;
}

/** @param watch the job that is under way now, which may be a later one than the one that opened the captioner */
async function contextOf(
  job: CaptionJob,
  choice: CaptionerChoice,
  files: ModelFiles,
  device: Device,
  watch: () => Watch,
): Promise<CaptionerContext> {
  const pathOf = (path: string): string => choice.files[path] ?? path;
  return {
    runtime: await openRuntime(device),
    vectors,
    device,
    modelKey: files.key,
    tokenizer: () => clipTokenizer(job.base),
    file: (path) => files.file(pathOf(path)),
    hasFile: (path) => files.hasFile(pathOf(path)),
    phrases: async (list) =>
      job.lists[list] ?? parsePhraseList(await siteText(job.base, `phrases/${list}.txt`)),
    onPreparing: (step) => watch().onPreparing(step),
    checkpoint: () => watch().signal.throwIfAborted(),
  };
}

export class Session {
  #captioner: Captioner | undefined;
  #key = "";
  #device: Device = { gpu: false, f16: false };
  #watch: Watch = { signal: new AbortController().signal, onPreparing: () => undefined };

  /** Opens the captioner of `job`, unless it is open. @throws the cancelling signal's reason, and what openers throw */
  async prepare(job: CaptionJob, watch: Watch): Promise<Prepared> {
    const started = performance.now();
    this.#watch = watch;
    const key = keyOf(job);
    if (key !== this.#key) {
      await this.close();
      this.#captioner = await this.#open(job);
      this.#key = key;
    }
    const device = this.#device.gpu ? "webgpu" : "processor";
    return { device, seconds: (performance.now() - started) / 1000 };
  }

  /** The open captioner, told to heed `watch`. */
  captioner(watch: Watch): Captioner {
    this.#watch = watch;
    if (this.#captioner) return this.#captioner;
    throw new WeftError("no-captioner", "No captioner is loaded.", "Press Caption again.");
  }

  async close(): Promise<void> {
    const open = this.#captioner;
    this.#captioner = undefined;
    this.#key = "";
    await open?.release();
  }

  async #open(job: CaptionJob): Promise<Captioner> {
    const describer = job.describer ? await this.#openOne(job, job.describer) : undefined;
    return this.#openOne(job, job, describer);
  }

  async #openOne(job: CaptionJob, choice: CaptionerChoice, describer?: Captioner): Promise<Captioner> {
    const { signal, onPreparing } = this.#watch;
    const files = await openModelFiles(choice.source, { base: job.base, signal, onPreparing });
    this.#device = await findDevice(captionerMeta(choice.captioner).runsOn);
    const open = await openers[choice.captioner]();
    const context = await contextOf(job, choice, files, this.#device, () => this.#watch);
    return open(context, choice.settings, leaveOuts[job.leaveOut], describer);
  }
}

/** Two jobs of one key want the same captioner. Files that are chosen anew are always opened anew. */
function keyOf(job: CaptionJob): string {
  const chosen = [job.source, job.describer?.source].some((source) => source?.kind === "files");
  return chosen ? crypto.randomUUID() : JSON.stringify(job);
}
