/** What the person asked of a running job; the job looks at it between steps. */
import { WeftError } from "../../base/errors";

export class JobControl {
  cancelled = false;
  /** Pictures and checkpoints asked for out of turn. */
  sampleRequested = false;
  saveRequested = false;
  #paused = false;
  #wake: (() => void) | undefined;

  /** Whether the job is to stand still, for now or for good. */
  get wantsStop(): boolean {
    return this.cancelled || this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  cancel(): void {
    this.cancelled = true;
    this.resume();
  }

  /** Resolves at once, or when a paused job is resumed or cancelled. */
  async whilePaused(): Promise<void> {
    while (this.#paused) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** For jobs that have nothing to keep: ends them. */
  throwIfCancelled(): void {
    if (this.cancelled) throw new WeftError("cancelled", "Stopped.", "");
  }
}
