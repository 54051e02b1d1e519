/** A tokenizer of whole words, in the files that transformers.js reads: for models that know a dozen of them. */

export const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** @param words their places are their ids; @param specials how many at the front are special tokens */
export function wordTokenizer(words: readonly string[], specials: number): object {
  const special = words.slice(0, specials).map((content, index) => ({
    id: index,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }));
  return {
    version: "1.0",
    added_tokens: special,
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "<unk>",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, index) => [word, index])),
    },
  };
}
