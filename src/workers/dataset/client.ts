/** The dataset workers as the page uses them. */
import { proxy } from "comlink";
import type { Finding, Patient } from "../../dataset/doctor/types";
import type { ExportEntry } from "../../dataset/exportPlan";
import type { DecodedImage, DoctorQuestion, ImportEvent, NamedFile, Preparation } from "./api";
import { runImport } from "./importJob";
import { connectDatasetWorker } from "./pool";

const patientsAtOnce = 500;

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

  /** What the doctor says about `patients`. Handed over in parts, with a pause for the page between them. */
  async examine(
    patients: readonly Patient[],
    question: DoctorQuestion,
    signal: AbortSignal,
  ): Promise<Finding[]> {
    for (let from = 0; from === 0 || from < patients.length; from += patientsAtOnce) {
      const some = patients.slice(from, from + patientsAtOnce);
      await this.#connection.call((worker) => worker.showDoctor(some, from === 0), signal);
    }
    return this.#connection.call((worker) => worker.diagnose(question), signal);
  }

  /** A zip of stored originals and of bytes, by a worker of its own: cancelling ends it. */
  async writeZip(
    entries: ExportEntry[],
    onProgress: (done: number) => void,
    signal: AbortSignal,
  ): Promise<Blob> {
    const connection = connectDatasetWorker();
    try {
      return await connection.call((worker) => worker.writeZip(entries, proxy(onProgress)), signal);
    } finally {
      connection.close();
    }
  }

  decode(original: Blob, name: string, preparation: Preparation): Promise<DecodedImage> {
    return this.#connection.call((worker) => worker.decode(original, name, preparation));
  }
}
