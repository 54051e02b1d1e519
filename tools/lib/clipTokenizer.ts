/** Loads CLIP's tokenizer from this repository's files, for the Node commands and tests. */
import { readFile } from "node:fs/promises";
import { createClipTokenizer, type ClipTokenizer } from "../../src/formats/tokenizer/clipTokenizer";

const MERGES = new URL("../../public/tokenizer/clip-merges.txt", import.meta.url);

export async function loadClipTokenizer(): Promise<ClipTokenizer> {
  return createClipTokenizer(await readFile(MERGES, "utf8"));
}
