/** A dataset as one zip: originals are read from storage one after the other, nothing is compressed again. */
import { downloadZip } from "client-zip";
import { WeftError } from "../../base/errors";
import type { Cut, ExportEntry } from "../../dataset/exportPlan";
import { Files } from "../../storage/records";
import { canvas2d, openPicture } from "./decode";

const originals = new Files<Blob>("weft-originals");
/** Milliseconds between two reports. */
const reportEvery = 100;

/** @param onProgress counts of entries, at most ten times a second. @throws WeftError `missing-picture` */
export async function writeZip(
  entries: readonly ExportEntry[],
  onProgress: (done: number) => void,
): Promise<Blob> {
  let reported = 0;
  async function* files(): AsyncGenerator<{ name: string; input: Blob | Uint8Array<ArrayBuffer> }> {
    for (const [done, entry] of entries.entries()) {
      const now = performance.now();
      if (now - reported > reportEvery) {
        reported = now;
        onProgress(done);
      }
      yield { name: entry.path, input: "bytes" in entry ? entry.bytes : await pictureFile(entry) };
    }
  }
  return downloadZip(files()).blob();
}

async function pictureFile({
  path,
  id,
  cut,
}: {
  path: string;
  id: string;
  cut?: Cut | undefined;
}): Promise<Blob> {
  const original = await originals.get(id);
  if (!original)
    throw new WeftError(
      "missing-picture",
      `The file of "${path}" is no longer in the browser's storage.`,
      "Remove the picture, then export again.",
    );
  return cut ? cutOut(original, cut) : original;
}

/** The part as PNG, upright and otherwise as stored. */
async function cutOut(original: Blob, { x, y, width, height }: Cut): Promise<Blob> {
  const picture = await openPicture(original);
  try {
    const { canvas, context } = canvas2d(
      Math.max(1, Math.round(width * picture.width)),
      Math.max(1, Math.round(height * picture.height)),
    );
    context.drawImage(picture, -Math.round(x * picture.width), -Math.round(y * picture.height));
    return await canvas.convertToBlob({ type: "image/png" });
  } finally {
    picture.close();
  }
}
