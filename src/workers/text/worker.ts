/** A text worker: CLIP's tokens counted, and a person's regular expressions, away from the page that must not freeze. */
import { expose } from "comlink";
import { WeftError } from "../../base/errors";
import type { ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import { loadTokenizer } from "../tokenizer";
import { toFailure } from "../failure";
import type { PatternEdit, TextWorker } from "./api";

let tokenizer: Promise<ClipTokenizer> | undefined;

async function words<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A plain object, because structured cloning strips an Error of its code and hint.
    // oxlint-disable-next-line no-throw-literal
    throw toFailure(error);
  }
}

function expression({ pattern, matchCase }: PatternEdit): RegExp {
  try {
    return new RegExp(pattern, matchCase ? "gu" : "giu");
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, "") : "";
    throw new WeftError(
      "bad-pattern",
      `This is no regular expression: ${reason}`,
      "Brackets and \\ need care.",
    );
  }
}

const worker: TextWorker = {
  countTokens: (texts) =>
    words(async () => {
      const clip = await (tokenizer ??= loadTokenizer());
      return texts.map((text) => clip.countTokens(text));
    }),
  replacePattern: (texts, edit) =>
    words(() => {
      const wanted = expression(edit);
      return texts.map((text) => text.replace(wanted, edit.replacement));
    }),
};

expose(worker);
