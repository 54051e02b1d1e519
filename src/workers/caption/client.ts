/** The caption worker as the page uses it. */
import { proxy } from "comlink";
import type { Preparing } from "../../captioning/types";
import { Connection } from "../connect";
import type { CaptionedPicture, CaptionJob, CaptionWorker, KeptModel, Prepared } from "./api";

export class CaptionClient {
  #connection = new Connection<CaptionWorker>(
    "captioner",
    () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "caption" }),
  );

  prepare(job: CaptionJob, onPreparing: (step: Preparing) => void, signal: AbortSignal): Promise<Prepared> {
    const id = this.#job(signal);
    return this.#connection.call((worker) => worker.prepare(id, job, proxy(onPreparing)), signal);
  }

  caption(picture: Blob, name: string, existing: string, signal: AbortSignal): Promise<CaptionedPicture> {
    const id = this.#job(signal);
    return this.#connection.call((worker) => worker.caption(id, picture, name, existing), signal);
  }

  kept(): Promise<KeptModel[]> {
    return this.#connection.call((worker) => worker.kept());
  }

  forget(name: string): Promise<void> {
    return this.#connection.call((worker) => worker.forget(name));
  }

  /** Ends the worker: the only sure way to get a GPU's memory back from ONNX Runtime. */
  close(): void {
    this.#connection.close();
  }

  #job(signal: AbortSignal): string {
    const id = crypto.randomUUID();
    const cancel = (): void =>
      void this.#connection.call((worker) => worker.cancel(id)).catch(() => undefined);
    signal.addEventListener("abort", cancel, { once: true });
    return id;
  }
}
