/** Several dataset workers side by side, as the page uses them: each does one thing at a time, and may die doing it. */
import type { Remote } from "comlink";
import { WeftError } from "../../base/errors";
import { Connection } from "../connect";
import type { DatasetWorker } from "./api";

const title = "picture reader";

export function connectDatasetWorker(): Connection<DatasetWorker> {
  return new Connection<DatasetWorker>(
    title,
    () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "dataset" }),
  );
}

/** All cores but the page's; more than eight only cost memory. */
export function poolSize(): number {
  return Math.min(8, Math.max(1, navigator.hardwareConcurrency - 1));
}

/**
 * Runs `work` for every item, as many at once as there are cores to spare.
 * @param work gets a worker of its own until it is done; one that takes longer than `timeout` milliseconds is ended
 */
export async function withPool<T>(
  items: readonly T[],
  timeout: number,
  signal: AbortSignal,
  work: (item: T, index: number, worker: PooledWorker) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    const worker = new PooledWorker(timeout, signal);
    try {
      while (next < items.length && !signal.aborted) {
        const index = next++;
        const item = items[index];
        if (item !== undefined) await work(item, index, worker);
      }
    } finally {
      worker.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(poolSize(), items.length) }, lane));
  signal.throwIfAborted();
}

export class PooledWorker {
  readonly #connection = connectDatasetWorker();
  readonly #timeout: number;
  readonly #signal: AbortSignal;

  constructor(timeout: number, signal: AbortSignal) {
    this.#timeout = timeout;
    this.#signal = signal;
  }

  /** @throws `timeout` after ending the worker, whose next call starts a fresh one; `signal.reason` on abort. */
  async call<R>(work: (worker: Remote<DatasetWorker>) => Promise<R>): Promise<R> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#connection.close();
        const seconds = Math.round(this.#timeout / 1000);
        reject(
          new WeftError(
            "timeout",
            `took longer than ${seconds} s to read and was given up.`,
            "Save a smaller copy.",
          ),
        );
      }, this.#timeout);
    });
    try {
      return await Promise.race([this.#connection.call(work, this.#signal), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#connection.close();
  }
}
