/** How fast an import goes and how long it will take, told at most ten times a second. */

const EVERY_MS = 100;
/** Seconds over which the speed is averaged. */
const WINDOW_MS = 10_000;

export interface PaceNumbers {
  readonly done: number;
  readonly total: number;
  readonly resumedFrom: number;
  readonly bytesPerSecond: number;
  /** 0 until it can be told. */
  readonly secondsLeft: number;
}

export class Pace {
  readonly #total: number;
  readonly #tell: (numbers: PaceNumbers) => void;
  /** [time, bytes], oldest first. */
  #marks: [number, number][] = [];
  #told = Number.NEGATIVE_INFINITY;

  constructor(total: number, tell: (numbers: PaceNumbers) => void) {
    this.#total = total;
    this.#tell = tell;
  }

  /** @param now milliseconds of any clock that only goes forward */
  report(done: number, resumedFrom: number, now: number): void {
    this.#marks.push([now, done]);
    while (this.#marks.length > 2 && now - (this.#marks[0]?.[0] ?? now) > WINDOW_MS) this.#marks.shift();
    if (now - this.#told < EVERY_MS && done < this.#total) return;
    this.#told = now;
    const [since, from] = this.#marks[0] ?? [now, done];
    const seconds = (now - since) / 1000;
    const bytesPerSecond = seconds > 0 ? (done - from) / seconds : 0;
    const secondsLeft = bytesPerSecond > 0 ? (this.#total - done) / bytesPerSecond : 0;
    this.#tell({ done, total: this.#total, resumedFrom, bytesPerSecond, secondsLeft });
  }
}
