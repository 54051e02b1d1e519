/** The dataset workers as the page uses them. */
import type { CropPoint } from "../../dataset/crop";
import type { DecodedImage, ImportEvent, NamedFile } from "./api";
import { runImport } from "./importJob";
import { connectDatasetWorker } from "./pool";

export class DatasetClient {
  #connection = connectDatasetWorker();

  /** Reads images, caption files, kohya folders, metadata and zips; one bad file never stops the rest. */
  importFiles(
    files: NamedFile[],
    onEvent: (event: ImportEvent) => void,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<void> {
    return runImport(this.#connection, files, onEvent, signal);
  }

  decode(original: Blob, name: string, resolution: number, crop?: CropPoint): Promise<DecodedImage> {
    return this.#connection.call((worker) => worker.decode(original, name, resolution, crop));
  }
}
