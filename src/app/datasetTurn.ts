/**
 * Of all tabs that have a dataset open, one may change it (T-C9): the first, until it closes or hands over. Others wait in the
 * lock's queue, and may ask for it.
 */
import { WeftError } from "../base/errors";
import { showError } from "./notices";

/** A tab that is asked to hand over answers within so many milliseconds, or is not heard. */
const patience = 5000;
/** A lock that is free within so many milliseconds was free. */
const grace = 300;

type Message = { id: string; from: string } & ({ kind: "ask" } | { kind: "ready"; to: string });

function lockName(id: string): string {
  return `weft-dataset-${id}`;
}

/** The tab's side of it. */
export interface TurnTaker {
  /** The dataset is this tab's to change: what is on disk may be newer than what it shows. */
  onTurn(id: string): Promise<void>;
  /** Brings everything to disk and changes nothing from then on. @throws when something cannot be saved */
  onLeave(id: string): Promise<void>;
}

export class DatasetTurn {
  readonly #tab = crypto.randomUUID();
  readonly #taker: TurnTaker;
  readonly #channel = new BroadcastChannel("weft-dataset-turns");
  #id = "";
  /** Gives the lock back; undefined while another tab has it. */
  #release: (() => void) | undefined;
  #waiting = new AbortController();
  #onReady: (() => void) | undefined;

  constructor(taker: TurnTaker) {
    this.#taker = taker;
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Message>) => void this.#hear(data));
  }

  /** Lets go of the present dataset and takes another, if no tab has it. @returns whether it is this tab's to change */
  async take(id: string): Promise<boolean> {
    this.#waiting.abort();
    this.#release?.();
    this.#release = undefined;
    this.#id = id;
    const turn = this.#queue();
    // The page that this one replaces, after a reload, needs a moment to let go.
    const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), grace));
    if (await Promise.race([turn, late])) return true;
    this.#tellOf(turn);
    return false;
  }

  /** Takes the dataset from the tab that has it, when that has saved everything. @throws `tab-silent` */
  async ask(): Promise<void> {
    const id = this.#id;
    const isReady = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), patience);
      this.#onReady = () => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#say({ kind: "ask", id, from: this.#tab });
    });
    this.#onReady = undefined;
    if (!isReady)
      throw new WeftError(
        "tab-silent",
        "The other tab could not hand the dataset over.",
        "See whether something there could not be saved, or close it.",
      );
    this.#waiting.abort();
    // Past the queue: another tab may wait there, but this one was asked for.
    if (await this.#request({ steal: true })) await this.#taker.onTurn(id);
  }

  /** @returns whether the lock was got; it is then held until `#release` or until another tab takes it */
  #request(options: LockOptions): Promise<boolean> {
    const id = this.#id;
    return new Promise((resolve) => {
      let isHeld = false;
      navigator.locks
        .request(lockName(id), options, (lock) => {
          if (!lock || this.#id !== id) return resolve(false);
          isHeld = true;
          const held = new Promise<void>((release) => (this.#release = release));
          resolve(true);
          return held;
        })
        // No longer wanted, or taken by another tab: then back into the queue.
        .catch(() => {
          resolve(false);
          if (!isHeld || this.#id !== id) return;
          this.#release = undefined;
          this.#tellOf(this.#queue());
        });
    });
  }

  #queue(): Promise<boolean> {
    this.#waiting = new AbortController();
    return this.#request({ signal: this.#waiting.signal });
  }

  #tellOf(turn: Promise<boolean>): void {
    const id = this.#id;
    turn.then((isOurs) => (isOurs ? this.#taker.onTurn(id) : undefined)).catch(showError);
  }

  async #hear(message: Message): Promise<void> {
    const { id, kind, from } = message;
    if (id !== this.#id) return;
    if (kind === "ready" && message.to === this.#tab) this.#onReady?.();
    if (kind !== "ask" || !this.#release) return;
    try {
      await this.#taker.onLeave(id);
    } catch (reason) {
      showError(reason);
      return;
    }
    this.#say({ kind: "ready", id, from: this.#tab, to: from });
    // The other tab died in between.
    setTimeout(() => {
      if (this.#id === id && this.#release) this.#taker.onTurn(id).catch(showError);
    }, patience);
  }

  #say(message: Message): void {
    this.#channel.postMessage(message);
  }
}
