/** When the GPU or its worker goes away, a run goes on by itself, but not for ever. */

/** Codes after which nothing is left in the engine: its models must be opened again. */
const goneCodes = new Set(["gpu-lost", "worker-died", "model-closed"]);

const window = 10 * 60_000;
const mostInWindow = 3;

export function engineIsGone(code: string): boolean {
  return goneCodes.has(code);
}

/** Allows three recoveries in ten minutes; a browser that loses its GPU more often needs a person. */
export class Recoveries {
  #times: number[] = [];

  /** @param now milliseconds; counts this recovery when it is allowed. */
  allow(now: number): boolean {
    this.#times = this.#times.filter((time) => now - time < window);
    if (this.#times.length >= mostInWindow) return false;
    this.#times.push(now);
    return true;
  }
}
