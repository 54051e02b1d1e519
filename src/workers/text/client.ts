/** Text workers as the page uses them: one that counts tokens, one that may be ended because of a pattern. */
import { WeftError } from "../../base/errors";
import { Connection } from "../connect";
import type { PatternEdit, TextWorker } from "./api";

/** A pattern that takes longer over all captions, in milliseconds, will hardly ever end. */
const patience = 3000;

function connect(title: string): Connection<TextWorker> {
  return new Connection<TextWorker>(
    title,
    () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "text" }),
  );
}

export class TextClient {
  #counter = connect("token counter");
  #patterns = connect("search");

  countTokens(texts: string[]): Promise<number[]> {
    return this.#counter.call((worker) => worker.countTokens(texts));
  }

  /** @throws `bad-pattern`, `slow-pattern`; the reason of `signal` when it was aborted */
  async replacePattern(texts: string[], edit: PatternEdit, signal: AbortSignal): Promise<string[]> {
    const late = AbortSignal.timeout(patience);
    try {
      return await this.#patterns.call(
        (worker) => worker.replacePattern(texts, edit),
        AbortSignal.any([signal, late]),
      );
    } catch (reason) {
      if (!signal.aborted && !late.aborted) throw reason;
      this.#patterns.close();
      if (signal.aborted) throw signal.reason;
      throw new WeftError(
        "slow-pattern",
        "This pattern takes too long; it was stopped and nothing was changed.",
        "Patterns like (a+)+ try every way to split a text. Use a simpler one.",
      );
    }
  }
}
