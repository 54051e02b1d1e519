/** CLIP's tokenizer for a worker, from the merge table that ships with the site. */
import { WeftError } from "../base/errors";
import { createClipTokenizer, type ClipTokenizer } from "../formats/tokenizer/clipTokenizer";

/** @throws `missing-asset` */
export async function loadTokenizer(): Promise<ClipTokenizer> {
  // Built workers live in assets/, one level below the page.
  const url = import.meta.env.DEV
    ? "/tokenizer/clip-merges.txt"
    : new URL("../tokenizer/clip-merges.txt", self.location.href);
  const response = await fetch(url);
  if (!response.ok)
    throw new WeftError(
      "missing-asset",
      "The tokenizer's word list could not be loaded.",
      "Reload the page.",
    );
  return createClipTokenizer(await response.text());
}
