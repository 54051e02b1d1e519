/** The dataset worker as the page uses it. */
import { proxy } from "comlink";
import { Connection } from "../connect";
import type { DatasetWorker, DecodedImage, ImportEvent, NamedFile } from "./api";

export class DatasetClient {
  #connection = new Connection<DatasetWorker>(
    "picture reader",
    () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "dataset" }),
  );

  importFiles(
    files: NamedFile[],
    onEvent: (event: ImportEvent) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const job = crypto.randomUUID();
    const cancel = (): void =>
      void this.#connection.call((worker) => worker.cancel(job)).catch(() => undefined);
    signal?.addEventListener("abort", cancel, { once: true });
    return this.#connection.call((worker) => worker.importFiles(job, files, proxy(onEvent)), signal);
  }

  decode(original: Blob, name: string, resolution: number): Promise<DecodedImage> {
    return this.#connection.call((worker) => worker.decode(original, name, resolution));
  }
}
