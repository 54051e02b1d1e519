/**
 * One worker as the page sees it: started on the first call, and again after a crash. comlink alone would leave
 * a call hanging for ever when the worker dies, so every call is raced with the worker's death and with the
 * caller's abort signal.
 */
import { wrap, type Remote } from "comlink";
import { WeftError } from "../base/errors";
import { fromFailure } from "./failure";

interface Link<T> {
  remote: Remote<T>;
  /** Rejects when the worker dies; never resolves. */
  death: Promise<never>;
  worker: Worker;
}

export class Connection<T> {
  #start: () => Worker;
  #title: string;
  #link: Link<T> | undefined;

  /** @param title what the worker is for, as it reads in "The … stopped unexpectedly". */
  constructor(title: string, start: () => Worker) {
    this.#title = title;
    this.#start = start;
  }

  /**
   * Calls the worker.
   * @throws the worker's failure as a {@link WeftError}; `worker-died` when it ended; `signal.reason` on abort.
   */
  async call<R>(work: (remote: Remote<T>) => Promise<R>, signal?: AbortSignal): Promise<R> {
    signal?.throwIfAborted();
    const link = (this.#link ??= this.#open());
    try {
      return await Promise.race([work(link.remote), link.death, ...(signal ? [aborted(signal)] : [])]);
    } catch (reason) {
      if (signal?.aborted) throw signal.reason;
      throw fromFailure(reason);
    }
  }

  /** Ends the worker and gives its memory back; the next call starts a fresh one. */
  close(): void {
    this.#link?.worker.terminate();
    this.#link = undefined;
  }

  #open(): Link<T> {
    const worker = this.#start();
    const death = new Promise<never>((_, reject) => {
      const die = (event: Event): void => {
        this.#forget(worker);
        const detail = event instanceof ErrorEvent && event.message ? ` (${event.message})` : "";
        reject(
          new WeftError(
            "worker-died",
            `The ${this.#title} stopped unexpectedly${detail}.`,
            "Try again; what was saved is kept.",
          ),
        );
      };
      worker.addEventListener("error", die);
      worker.addEventListener("messageerror", die);
    });
    death.catch(() => undefined);
    return { worker, death, remote: wrap<T>(worker) };
  }

  #forget(worker: Worker): void {
    worker.terminate();
    if (this.#link?.worker === worker) this.#link = undefined;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
