/** What reading a photograph costs: decoding, thumbnail, hash and looks at import; decoding and the training resize later. */
import { openPicture, pixelsOnWhite, toBucket } from "../../../src/workers/dataset/decode";
import { poolSize, withPool } from "../../../src/workers/dataset/pool";
import { readPicture } from "../../../src/workers/dataset/readPicture";
import type { PictureTask } from "../../../src/workers/dataset/api";
import type { DatasetResult } from "../types";

const photographs = 16;
const width = 2048;
const height = 1536;
/** What pictures are prepared for: SD 1.5's size. */
const resolution = 512;

/** A JPEG with edges, gradients and grain, so that neither its codec nor the hash has an easy time. */
async function photograph(seed: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas for the bench's photographs");
  let state = seed + 1;
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  for (let shape = 0; shape < 400; shape++) {
    context.fillStyle = `hsl(${360 * random()} ${100 * random()}% ${100 * random()}% / 60%)`;
    context.beginPath();
    context.ellipse(
      width * random(),
      height * random(),
      300 * random() ** 2,
      200 * random() ** 2,
      random(),
      0,
      7,
    );
    context.fill();
  }
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
}

function task(file: Blob, index: number): PictureTask {
  return { path: `${index}.jpg`, file, captions: [], repeats: 1, classTokens: "", metadataCaption: "" };
}

async function timed(
  files: readonly Blob[],
  work: (file: Blob, index: number) => Promise<unknown>,
): Promise<number[]> {
  const rounds: number[] = [];
  for (const [index, file] of files.entries()) {
    const begin = performance.now();
    await work(file, index);
    rounds.push(performance.now() - begin);
  }
  return rounds;
}

export async function benchDataset(): Promise<DatasetResult> {
  const files = await Promise.all(Array.from({ length: photographs }, (_, seed) => photograph(seed)));
  await readPicture(task(files[0] ?? new Blob(), 0));
  const read = await timed(files, (file, index) => readPicture(task(file, index)));
  const prepared = await timed(files, async (file) => {
    const picture = await openPicture(file);
    toBucket(pixelsOnWhite(picture), resolution);
    picture.close();
  });
  const begin = performance.now();
  const tasks = [...files, ...files].map(task);
  await withPool(tasks, 60_000, new AbortController().signal, async (one, _, worker) => {
    await worker.call((remote) => remote.readPicture(one));
  });
  const seconds = (performance.now() - begin) / 1000;
  return {
    shape: `${width} × ${height} JPEG`,
    resolution,
    read,
    prepared,
    poolPicturesPerSecond: tasks.length / seconds,
    workers: poolSize(),
  };
}
