/** Small pictures for cards on the screen: read when a card appears. */
import { Files } from "../storage/records";

export const thumbnailFiles = new Files<Blob>("weft-thumbnails");

interface Waiting {
  id: string;
  resolve: (thumbnail: Blob | undefined) => void;
  reject: (reason: unknown) => void;
}

let waiting: Waiting[] = [];

/** The thumbnail of a picture. What is asked for at the same time is read at once: fast scrolling asks for dozens. */
export function readThumbnail(id: string): Promise<Blob | undefined> {
  if (waiting.length === 0) queueMicrotask(() => void readWaiting());
  return new Promise((resolve, reject) => waiting.push({ id, resolve, reject }));
}

async function readWaiting(): Promise<void> {
  const asked = waiting;
  waiting = [];
  try {
    const found = await thumbnailFiles.getMany(asked.map(({ id }) => id));
    for (const [index, { resolve }] of asked.entries()) resolve(found[index]);
  } catch (reason) {
    for (const { reject } of asked) reject(reason);
  }
}
