/** The caption worker: everything that looks at pictures to describe them. */
import { expose } from "comlink";
import { pixelsOnWhite, openPicture } from "../dataset/decode";
import { toFailure } from "../failure";
import type { CaptionWorker } from "./api";
import { forgetModel, keptModels } from "./modelFiles";
import { Session } from "./session";

const session = new Session();
const jobs = new Map<string, AbortController>();

const cancelled = { code: "cancelled", message: "Captioning was cancelled.", hint: "" };

/** Runs `work` so that it can be cancelled, and its errors keep their words across the border. */
async function job<T>(id: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  jobs.set(id, controller);
  try {
    return await work(controller.signal);
  } catch (error) {
    // Plain objects, because structured cloning strips an Error of its code and hint.
    // oxlint-disable-next-line no-throw-literal
    throw controller.signal.aborted ? cancelled : toFailure(error);
  } finally {
    jobs.delete(id);
  }
}

/** RGB of a picture as trained on: upright, on white. */
async function read(file: Blob) {
  const picture = await openPicture(file);
  const { pixels, width, height } = pixelsOnWhite(picture);
  picture.close();
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, at = 0; i < pixels.length; i += 4) {
    data[at++] = pixels[i] ?? 0;
    data[at++] = pixels[i + 1] ?? 0;
    data[at++] = pixels[i + 2] ?? 0;
  }
  return { data, width, height, channels: 3 as const };
}

const worker: CaptionWorker = {
  prepare: (id, request, onPreparing) =>
    job(id, (signal) => session.prepare(request, { signal, onPreparing })),
  caption: (id, picture, _, existing) =>
    job(id, async (signal) => {
      const started = performance.now();
      const captioner = session.captioner({ signal, onPreparing: () => undefined });
      const result = await captioner.caption({ pixels: await read(picture), existing });
      return { ...result, seconds: (performance.now() - started) / 1000 };
    }),
  cancel: async (id) => jobs.get(id)?.abort(),
  kept: () => job(crypto.randomUUID(), keptModels),
  forget: (name) =>
    job(crypto.randomUUID(), async () => {
      await session.close();
      await forgetModel(name);
    }),
};

expose(worker);
