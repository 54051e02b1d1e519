/** A dataset worker: everything that touches the pixels and bytes of the person's pictures. */
import { expose, transfer } from "comlink";
import { WeftError } from "../../base/errors";
import { toFailure } from "../failure";
import type { DatasetWorker } from "./api";
import { opacity, openPicture, pixelsOnWhite, toBucket } from "./decode";
import { askDoctor, showDoctor } from "./doctor";
import { planImport, type Planned } from "./plan";
import { readPicture } from "./readPicture";
import { inflate } from "./unzip";
import { writeZip } from "./writeZip";

const jobs = new Map<string, Planned>();

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

const worker: DatasetWorker = {
  plan: (jobId, paths, files) =>
    words(async () => {
      const planned = await planImport(paths, files);
      jobs.set(jobId, planned);
      return planned.plan;
    }),
  planned: async (jobId, from, count) => jobs.get(jobId)?.pictures.slice(from, from + count) ?? [],
  inflate: (jobId, paths) =>
    words(() =>
      Promise.all(
        paths.map((path) => {
          const entry = jobs.get(jobId)?.entries.get(path);
          if (!entry) throw new WeftError("cancelled", "The import was cancelled.");
          return inflate(entry);
        }),
      ),
    ),
  endJob: async (jobId) => void jobs.delete(jobId),
  readPicture: (task) => words(() => readPicture(task)),
  decode: (original, _, { resolution, crop, masked }) =>
    words(async () => {
      const picture = await openPicture(original);
      const whole = pixelsOnWhite(picture);
      const mask = masked ? opacity(picture) : undefined;
      picture.close();
      const decoded = toBucket({ ...whole, ...(mask && { mask }) }, resolution, crop);
      return transfer(decoded, [decoded.pixels.buffer, ...(decoded.mask ? [decoded.mask.buffer] : [])]);
    }),
  showDoctor: async (patients, isFirst) => showDoctor(patients, isFirst),
  diagnose: (question) => words(() => askDoctor(question)),
  writeZip: (entries, onProgress) => words(() => writeZip(entries, onProgress)),
};

expose(worker);
