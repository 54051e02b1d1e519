/** Text workers as the page uses them: one that counts tokens, and one for each pattern, which may have to be ended. */
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

  countTokens(texts: string[]): Promise<number[]> {
    return this.#counter.call((worker) => worker.countTokens(texts));
  }

  /** @throws `bad-pattern`, `slow-pattern`; the reason of `signal` when it was aborted */
  async replacePattern(texts: string[], edit: PatternEdit, signal: AbortSignal): Promise<string[]> {
    const late = AbortSignal.timeout(patience);
    // One of its own for each call: ending it must not end what was asked after it.
    const worker = connect("search");
    try {
      const either = AbortSignal.any([signal, late]);
      return await worker.call((remote) => remote.replacePattern(texts, edit), either);
    } catch (reason) {
      if (signal.aborted || !late.aborted) throw reason;
      throw new WeftError(
        "slow-pattern",
        "This pattern takes too long; it was stopped and nothing was changed.",
        "Patterns like (a+)+ try every way to split a text. Use a simpler one.",
      );
    } finally {
      worker.close();
    }
  }
}
