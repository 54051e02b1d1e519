/**
 * What the usual trainer and web UI set-ups do to a prompt before CLIP's tokenizer sees it: the text repairs of
 * the Python library ftfy (HTML entities, mojibake, widths, ligatures, quotes, line breaks, control characters,
 * NFC), white space collapsed, lower case. Same steps in the same order, because token ids depend on them.
 */
import { decodeHTML, decodeHTMLStrict } from "entities/decode";
import { repairMojibake } from "./mojibake";
import { windows1252Character } from "./windows1252";

/** Longest text that is repaired repeatedly; one pass always shortens or settles real prompts. */
const MAX_ROUNDS = 16;

/** The text CLIP's byte-pair encoding works on: repaired, trimmed, single spaces, lower case. */
export function cleanText(text: string): string {
  // Python's \s, which unlike JavaScript's includes U+001C..U+001F and U+0085 and excludes U+FEFF.
  const spaced = fixText(text).replace(/[\s\u001c-\u001f\u0085]+/g, " ");
  return spaced.trim().toLowerCase();
}

/**
 * Repairs `text` line by line. From the first line with a `<` on, HTML entities are left alone: the text may be
 * real HTML.
 */
export function fixText(text: string): string {
  let entities = true;
  const lines = text.split(/(?<=\n)/).map((line) => {
    entities &&= !line.includes("<");
    return fixLine(line, entities);
  });
  return lines.join("");
}

/** All repairs, repeated until nothing changes (an entity may hide another). */
function fixLine(line: string, entities: boolean): string {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = line;
    if (entities) line = unescapeEntities(line);
    line = fixCharacters(repairMojibake(line)).normalize("NFC");
    if (line === before) break;
  }
  return line;
}

/** Complete entities only (`&amp;`, `&#39;`, and all-capital names such as `&EACUTE;`). */
function unescapeEntities(text: string): string {
  return text.replace(/&#?[0-9A-Za-z]{1,24};/g, unescapeEntity);
}

function unescapeEntity(entity: string): string {
  const decoded = decodeHTMLStrict(entity);
  if (decoded !== entity || entity.startsWith("&#") || /[a-z]/.test(entity)) return decoded;
  // Names that begin like an old entity without semicolon (`&LT...`) stay ambiguous.
  if (decodeHTML(entity) !== entity) return entity;
  const lower = decodeHTMLStrict(entity.toLowerCase());
  return lower === entity.toLowerCase() ? entity : lower.toUpperCase();
}

const CHARACTER_FIXES: readonly [RegExp, string | ((match: string) => string)][] = [
  // C1 controls mean the Windows-1252 characters of the same bytes.
  [/[\u0080-\u009f]/g, (c) => windows1252Character(c.charCodeAt(0))],
  // Latin ligatures and digraphs.
  [/[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb04\ufb06]/g, (c) => c.normalize("NFKC")],
  [/\ufb05/g, "\u017ft"],
  // Full- and half-width forms, and the ideographic space.
  [/[\uff01-\uffef\u3000]/g, (c) => c.normalize("NFKC")],
  [/[\u02bc\u2018-\u201b]/g, "'"],
  [/[\u201c-\u201f]/g, '"'],
  [/\r\n|[\r\u2028\u2029\u0085]/g, "\n"],
  [/\p{Cs}/gu, "\ufffd"],
  // Terminal colour sequences.
  [new RegExp("\\u001b\\[[\\d;]*[a-zA-Z]", "g"), ""],
  // Control characters that are no white space, deprecated format characters, byte order mark.
  [
    new RegExp("[\\u0000-\\u0008\\u000b\\u000e-\\u001f\\u007f\\u206a-\\u206f\\ufeff\\ufff9-\\ufffc]", "g"),
    "",
  ],
];

function fixCharacters(text: string): string {
  for (const [pattern, fix] of CHARACTER_FIXES) {
    text = typeof fix === "string" ? text.replace(pattern, fix) : text.replace(pattern, fix);
  }
  return text;
}
