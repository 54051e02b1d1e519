/**
 * A strict JSON reader for hostile headers. Unlike JSON.parse it refuses duplicate keys and deep nesting, gives
 * objects as Maps (so no key can reach a prototype) and tells whole numbers from everything else.
 */

export type JsonValue = string | number | boolean | null | JsonValue[] | Map<string, JsonValue>;

/** Why the text was refused, with the character position. */
export class JsonError extends Error {
  readonly reason: "syntax" | "duplicate-key";
  constructor(reason: "syntax" | "duplicate-key", message: string) {
    super(message);
    this.reason = reason;
  }
}

/** A header needs three levels; more is never legitimate. */
const MAX_DEPTH = 16;
/** Ten values describe a tensor and no file has twenty thousand; the limit bounds the memory of a hostile header. */
const MAX_VALUES = 200_000;

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN_STRING = /"[^"\\\u0000-\u001f]*"/y;
const ESCAPED_STRING = /"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y;
const WORDS = new Map<string, JsonValue>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/**
 * Parses one JSON text completely.
 * Numbers that are not plain decimal integers (`1.0`, `1e2`, `-0`) come back as NaN unless negative integers,
 * because the format's numbers are unsigned integers and nothing else.
 * @throws JsonError
 */
export function parseStrictJson(text: string): JsonValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) this.#fail("nested too deeply");
    if (++this.#values > MAX_VALUES) this.#fail("too many values");
    this.#match(SPACE);
    const next = this.#text[this.#at];
    if (next === "{") return this.#object(depth);
    if (next === "[") return this.#array(depth);
    if (next === '"') return this.#string();
    return this.#word() ?? this.#number();
  }

  end(): void {
    this.#match(SPACE);
    if (this.#at < this.#text.length) this.#fail("text after the end");
  }

  #object(depth: number): Map<string, JsonValue> {
    const map = new Map<string, JsonValue>();
    this.#list("}", () => {
      const key = this.#string();
      if (map.has(key)) throw new JsonError("duplicate-key", key);
      this.#expect(":");
      map.set(key, this.value(depth + 1));
    });
    return map;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#list("]", () => items.push(this.value(depth + 1)));
    return items;
  }

  /** Reads `item`s separated by commas; the opening bracket is at the current position. */
  #list(close: string, item: () => void): void {
    this.#at++;
    if (this.#take(close)) return;
    do {
      this.#match(SPACE);
      item();
    } while (this.#take(","));
    this.#expect(close);
  }

  #string(): string {
    const plain = this.#match(PLAIN_STRING);
    if (plain !== "") return plain.slice(1, -1);
    const escaped = this.#match(ESCAPED_STRING);
    if (escaped === "") this.#fail("expected a string");
    const text = JSON.parse(escaped) as string; // the pattern admits exactly JSON's string grammar
    if (/\p{Cs}/u.test(text)) this.#fail("half a surrogate pair");
    return text;
  }

  #number(): number {
    const text = this.#match(NUMBER);
    if (text === "") this.#fail("expected a value");
    return /^-?[0-9]+$/.test(text) && text !== "-0" ? Number(text) : Number.NaN;
  }

  #word(): JsonValue | undefined {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return undefined;
  }

  #expect(mark: string): void {
    if (!this.#take(mark)) this.#fail(`expected ${mark}`);
  }

  #take(mark: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  /** Advances past a sticky pattern and returns what it matched, or "". */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) return "";
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #fail(why: string): never {
    throw new JsonError("syntax", `${why} at character ${this.#at}`);
  }
}
