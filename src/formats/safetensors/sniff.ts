/**
 * Recognises what a file that is not safetensors really is, so that the message can say so.
 * Looks at the first bytes only and decides nothing about valid files.
 */

interface Lookalike {
  what: string;
  hint: string;
}

const PICKLE: Lookalike = {
  what: "a pickle checkpoint (.ckpt / .pt)",
  hint:
    "Loading a pickle runs code that its author put inside, so Weft never opens one. " +
    "Most models are also offered as .safetensors: download that version.",
};
const ZIP: Lookalike = { what: "a zip archive", hint: "Unpack it and pick the .safetensors file inside." };
const SAVED_PAGE: Lookalike = {
  what: "a web page",
  hint: "The download gave an error or login page instead of the model. Open the link in a tab, sign in if asked, and download again.",
};
const SERVER_ANSWER: Lookalike = {
  what: "a JSON text, probably a server's error message",
  hint: "The download was refused. Open the link in a tab, sign in or accept the licence if asked, and download again.",
};
const LFS_POINTER: Lookalike = {
  what: "a git-lfs pointer, the small text that stands for a large file",
  hint: "Download the file from the repository's web page, or run `git lfs pull` in the clone.",
};
const GGUF: Lookalike = {
  what: "a GGUF model",
  hint: "Weft reads Stable Diffusion 1.x, 2.x and XL checkpoints in the .safetensors format.",
};
const IMAGE: Lookalike = {
  what: "an image",
  hint: "Images go into the Dataset room; here a .safetensors file is wanted.",
};
const GZIP: Lookalike = {
  what: "a gzip-compressed file",
  hint: "Decompress it first, then pick the .safetensors file.",
};
const TEXT: Lookalike = { what: "a text file", hint: "Pick the .safetensors file itself." };

/** Magic numbers at offset 0, as Latin-1 text. */
const MAGIC: readonly [string, Lookalike][] = [
  ["PK\x03\x04", ZIP],
  ["PK\x05\x06", ZIP],
  ["GGUF", GGUF],
  ["version https://git-lfs", LFS_POINTER],
  ["\x89PNG\r\n", IMAGE],
  ["\xff\xd8\xff", IMAGE],
  ["RIFF", IMAGE],
  ["\x1f\x8b", GZIP],
  ["\xff\xfe", TEXT],
  ["\xfe\xff", TEXT],
  ["\xef\xbb\xbf", TEXT],
];

/**
 * @param head the file's first bytes (256 are plenty).
 * @returns what the file is instead, or null when nothing is recognised.
 */
export function recognise(head: Uint8Array): Lookalike | null {
  const text = String.fromCharCode(...head.subarray(0, 256));
  if (isPickle(head) || /^PK[\s\S]{10,80}\.pkl/.test(text)) return PICKLE;
  const magic = MAGIC.find(([mark]) => text.startsWith(mark));
  if (magic) return magic[1];
  if (/^\s*</.test(text)) return SAVED_PAGE;
  if (/^\s*[{[]/.test(text)) return SERVER_ANSWER;
  return /^[\t\n\r\x20-\x7e]{16,}$/.test(text) ? TEXT : null;
}

/** Protocol 2..5 pickles begin with PROTO (0x80) and the protocol number. */
function isPickle(head: Uint8Array): boolean {
  const [proto, version] = head;
  return proto === 0x80 && version !== undefined && version >= 2 && version <= 5;
}
