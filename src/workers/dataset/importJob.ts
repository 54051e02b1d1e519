/** An import as the page runs it: planned by one worker, read by a pool of them, told in the order of the names. */
import { WeftError } from "../../base/errors";
import { isFactsPath } from "../../dataset/arrangePaths";
import { UniquePaths } from "../../dataset/uniquePaths";
import type { Connection } from "../connect";
import { fromFailure, isAbort } from "../failure";
import type { DatasetWorker, ImportEvent, NamedFile, PictureTask, PlannedPicture } from "./api";
import { withPool } from "./pool";

/** T-F4: a decoder that hangs is ended after so many milliseconds. */
const decodeTimeout = 20_000;
/** Time left is told from this many pictures on. */
const measuredFrom = 8;

/** Files handled before the page gets a turn. */
const atOnce = 100;
/** Progress is told no more often, in milliseconds. */
const progressEvery = 100;

type Tell = (event: ImportEvent) => void;

export async function runImport(
  reader: Connection<DatasetWorker>,
  files: readonly NamedFile[],
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  const id = crypto.randomUUID();
  const blobs = await labelled(files);
  try {
    const paths = [...blobs.keys()];
    const telling = [...blobs]
      .filter(([path]) => isFactsPath(path) || /\.(zip|cbz)$/i.test(path))
      .map(([path, file]) => ({ path, file }));
    const plan = await reader.call((worker) => worker.plan(id, paths, telling), signal);
    for (const file of plan.refused) tell({ kind: "refused", file });
    for (const note of plan.notes) tell({ kind: "note", note });
    const pictures: PlannedPicture[] = [];
    while (pictures.length < plan.pictures) {
      const from = pictures.length;
      const some = await reader.call((worker) => worker.planned(id, from, atOnce), signal);
      if (some.length === 0) break;
      pictures.push(...some);
    }
    await new ImportJob(id, reader, blobs, pictures, tell, signal).run();
  } finally {
    reader.call((worker) => worker.endJob(id)).catch(() => undefined);
  }
}

/** Every file under a label of its own. */
async function labelled(files: readonly NamedFile[]): Promise<Map<string, Blob>> {
  const names = new UniquePaths();
  const blobs = new Map<string, Blob>();
  for (const [index, { path, file }] of files.entries()) {
    blobs.set(names.add(path), file);
    if (index % atOnce === atOnce - 1) await new Promise((resolve) => setTimeout(resolve));
  }
  return blobs;
}

class ImportJob {
  readonly #id: string;
  readonly #reader: Connection<DatasetWorker>;
  readonly #blobs: ReadonlyMap<string, Blob>;
  readonly #pictures: readonly PlannedPicture[];
  readonly #tell: Tell;
  readonly #signal: AbortSignal;
  readonly #begin = performance.now();
  /** What came before its turn, by its place in the plan. */
  readonly #waiting = new Map<number, ImportEvent>();
  #told = 0;
  #done = 0;
  #progressAt = Number.NEGATIVE_INFINITY;

  constructor(
    id: string,
    reader: Connection<DatasetWorker>,
    blobs: ReadonlyMap<string, Blob>,
    pictures: readonly PlannedPicture[],
    tell: Tell,
    signal: AbortSignal,
  ) {
    this.#id = id;
    this.#reader = reader;
    this.#blobs = blobs;
    this.#pictures = pictures;
    this.#tell = tell;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    this.#tellProgress();
    await withPool(this.#pictures, decodeTimeout, this.#signal, async (picture, index, worker) => {
      try {
        const task = await this.#task(picture);
        const image = await worker.call((remote) => remote.readPicture(task));
        this.#arrive(index, { kind: "image", image });
      } catch (error) {
        if (isAbort(error) || this.#signal.aborted) return;
        const { code, message, hint } = ofOneFile(error);
        const reason = hint ? `${message} ${hint}` : message;
        this.#arrive(index, { kind: "refused", file: { name: picture.path, code, reason } });
      }
    });
  }

  async #task({ captionPaths, ...picture }: PlannedPicture): Promise<PictureTask> {
    const [file, ...captions] = await this.#files([picture.path, ...captionPaths]);
    if (!file) throw new WeftError("unreadable", "could not be read from the disk.");
    return {
      ...picture,
      file,
      captions: captions.flatMap((caption, index) => ({ path: captionPaths[index] ?? "", file: caption })),
    };
  }

  /** Files of the drop, those inside zips inflated. */
  async #files(paths: string[]): Promise<Blob[]> {
    const zipped = paths.filter((path) => !this.#blobs.has(path));
    const inflated =
      zipped.length > 0
        ? await this.#reader.call((worker) => worker.inflate(this.#id, zipped), this.#signal)
        : [];
    const fromZip = new Map(zipped.map((path, index) => [path, inflated[index]]));
    return paths.flatMap((path) => this.#blobs.get(path) ?? fromZip.get(path) ?? []);
  }

  #arrive(index: number, event: ImportEvent): void {
    this.#waiting.set(index, event);
    this.#done++;
    for (let due = this.#waiting.get(this.#told); due; due = this.#waiting.get(this.#told)) {
      this.#waiting.delete(this.#told++);
      this.#tell(due);
    }
    this.#tellProgress();
  }

  #tellProgress(): void {
    const total = this.#pictures.length;
    const now = performance.now();
    if (this.#done < total && now - this.#progressAt < progressEvery) return;
    this.#progressAt = now;
    const seconds = (now - this.#begin) / 1000;
    const secondsLeft = (seconds / this.#done) * (total - this.#done);
    this.#tell({
      kind: "progress",
      done: this.#done,
      total,
      ...(this.#done >= measuredFrom ? { secondsLeft } : {}),
    });
  }
}

/** Why one file could not be read; its name comes in front. */
function ofOneFile(error: unknown): WeftError {
  const failure = fromFailure(error);
  if (failure.code === "worker-died")
    return new WeftError(
      "crashed",
      "made the picture reader stop.",
      "Open it in an image program and save it again.",
    );
  if (failure.code === "internal" || failure.code === "worker-error")
    return new WeftError(
      "unreadable",
      "could not be read.",
      "If it lies on a network drive, copy it here first.",
    );
  return failure;
}
