/** The dataset worker: everything that touches the pixels and bytes of the person's pictures. */
import { expose, transfer } from "comlink";
import { toFailure } from "../failure";
import type { DatasetWorker } from "./api";
import { openPicture, pixelsOnWhite, toBucket } from "./decode";
import { importFiles } from "./importFiles";

const cancelled = new Set<string>();

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
  importFiles: (jobId, files, onEvent) =>
    words(async () => {
      await importFiles(files, onEvent, () => cancelled.has(jobId));
      cancelled.delete(jobId);
    }),
  decode: (original, _, resolution) =>
    words(async () => {
      const picture = await openPicture(original);
      const whole = pixelsOnWhite(picture);
      picture.close();
      const decoded = resolution === undefined ? whole : toBucket(whole, resolution);
      return transfer(decoded, [decoded.pixels.buffer]);
    }),
  cancel: async (jobId) => void cancelled.add(jobId),
};

expose(worker);
