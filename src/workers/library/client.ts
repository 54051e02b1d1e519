/** The library worker as the page uses it. */
import { proxy } from "comlink";
import { Connection } from "../connect";
import type {
  CheckpointSource,
  ImportOptions,
  ImportProgress,
  LibraryContents,
  LibraryEntry,
  LibraryWorker,
  RemoteListing,
} from "./api";

export class LibraryClient {
  #connection = new Connection<LibraryWorker>(
    "model library",
    () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "library" }),
  );

  list(): Promise<LibraryContents> {
    return this.#connection.call((library) => library.list());
  }

  browse(reference: string, token: string | undefined): Promise<RemoteListing> {
    return this.#connection.call((library) => library.browse(reference, token));
  }

  /** Ends with the model's entry, or, when `signal` aborts, with an import that can be taken up again. */
  import(
    source: CheckpointSource,
    options: ImportOptions,
    onProgress: (progress: ImportProgress) => void,
    signal: AbortSignal,
  ): Promise<LibraryEntry> {
    const job = crypto.randomUUID();
    const cancel = (): void =>
      void this.#connection.call((library) => library.cancel(job)).catch(() => undefined);
    signal.addEventListener("abort", cancel, { once: true });
    return this.#connection.call((library) => library.import(job, source, options, proxy(onProgress)));
  }

  remove(name: string): Promise<void> {
    return this.#connection.call((library) => library.remove(name));
  }
}
