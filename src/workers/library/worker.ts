/** The library worker: brings base models in, keeps and lists them. Files of any size pass through it in slices. */
import { expose } from "comlink";
import { WeftError } from "../../base/errors";
import { openCachedModel } from "../../checkpoints/cachedModel";
import { Library, MODELS_FOLDER, type LibraryEntry, type Locks } from "../../checkpoints/library";
import { detectBundle, type VaeTensors } from "../../formats/checkpoint/bundle";
import { VAE_PREFIX } from "../../formats/checkpoint/layout";
import { vaeTensors } from "../../formats/checkpoint/vaeFile";
import { fromBlob } from "../../formats/safetensors/source";
import { weightPrecisions } from "../../models/precisions";
import { opfsFolder } from "../../storage/opfs";
import { toFailure } from "../failure";
import type { CheckpointSource, ImportOptions, ImportProgress, LibraryWorker } from "./api";
import { browse, findCheckpoint, type Found } from "./sources";
import { chooseStorage } from "./storageChoice";
import { Pace } from "./pace";

const locks: Locks = {
  exclusive: async (name, work, onWait) => {
    const held = await navigator.locks.query();
    if (held.held?.some((lock) => lock.name === name)) onWait();
    return await navigator.locks.request(name, work);
  },
  ifFree: async (name, work) =>
    await navigator.locks.request(name, { ifAvailable: true }, async (lock) => (lock ? work() : undefined)),
};

const folder = opfsFolder(MODELS_FOLDER);
const library = new Library(folder, locks);
const jobs = new Map<string, AbortController>();

const worker: LibraryWorker = {
  list: () =>
    words(async () => {
      const { usage = 0, quota = 0 } = await navigator.storage.estimate();
      return { entries: await library.list(), usage, quota };
    }),
  browse: (reference, token) => words(() => browse(reference, token)),
  import: (jobId, source, options, onProgress) =>
    words(async () => {
      const control = new AbortController();
      jobs.set(jobId, control);
      try {
        return await importModel(source, options, onProgress, control.signal);
      } finally {
        jobs.delete(jobId);
      }
    }),
  remove: (name) => words(() => library.remove(name)),
  cancel: async (jobId) => jobs.get(jobId)?.abort(cancelled()),
};

expose(worker);

function cancelled(): WeftError {
  return new WeftError(
    "cancelled",
    "Stopped.",
    "What was read is kept; import the same model again to go on.",
  );
}

async function importModel(
  source: CheckpointSource,
  options: ImportOptions,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<LibraryEntry> {
  const found = await findCheckpoint(source, { token: options.token, signal });
  const { bundle, origin, identity, expected } = found;
  const { tensors, family, prediction, storage, precisions } =
    options.kind === "vae" ? vaeOnly(found) : await wholeModel(found, options);
  const parameters = [...tensors.values()].reduce(
    (total, { shape }) => total + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const about = { title: bundle.title, kind: options.kind, family, prediction, parameters, origin };
  const pace = new Pace(bundle.source.size, (numbers) =>
    onProgress({ stage: "reading", title: bundle.title, storage, ...numbers }),
  );
  return library.import(
    identity,
    { bundle, tensors, storage, about, expected, precisions },
    {
      now: () => Date.now(),
      throwIfCancelled: () => signal.throwIfAborted(),
      onProgress: (done, resumedFrom) => pace.report(done, resumedFrom, performance.now()),
      onWait: () =>
        onProgress({
          ...{ stage: "waiting", title: bundle.title, storage, done: 0, total: bundle.source.size },
          ...{ resumedFrom: 0, bytesPerSecond: 0, secondsLeft: 0 },
        }),
    },
  );
}

/** A VAE is small: it keeps its halves whatever its models are stored as. */
function vaeOnly({ bundle }: Found) {
  return {
    tensors: vaeTensors(bundle),
    family: "vae",
    prediction: "epsilon",
    storage: "f16",
    precisions: new Map(),
  } as const;
}

async function wholeModel({ bundle }: Found, options: ImportOptions) {
  const hasVae = [...bundle.header.tensors.keys()].some((key) => key.startsWith(VAE_PREFIX));
  const vae = !hasVae && options.vae !== undefined ? await keptVae(options.vae) : undefined;
  const { config, tensors, parts } = await detectBundle(bundle, vae);
  const own = vae ? new Map([...tensors].filter(([key]) => !key.startsWith(VAE_PREFIX))) : tensors;
  const storage = options.storage === "auto" ? chooseStorage(config, parts, options.memory) : options.storage;
  return {
    tensors: own,
    family: config.family,
    prediction: config.prediction,
    storage,
    precisions: weightPrecisions(config),
  };
}

/** The shapes of a kept VAE; its values stay where they are. */
async function keptVae(name: string): Promise<VaeTensors> {
  const blob = await folder.snapshot(name);
  if (!blob) throw new WeftError("not-found", "The separate VAE is not here any more.", "Choose it again.");
  const { shapes } = await openCachedModel(fromBlob(blob, name));
  return new Map(
    [...shapes].map(([key, shape]) => [key, { name: key, dtype: "F16" as const, shape, begin: 0, end: 0 }]),
  );
}

/** Runs `work` so that its errors keep their words across the border. */
async function words<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A plain object, because structured cloning strips an Error of its code and hint.
    // oxlint-disable-next-line no-throw-literal
    throw toFailure(error);
  }
}
