/**
 * Parses prompt editing: `[from:to:when]`, `[to:when]`, `[a|b]`, nested in each other and in attention brackets.
 *
 *   text        := (node | one of "[]():")*            stray brackets are text, but only outside all others
 *   prompt      := node*
 *   node        := plain | "(" prompt ")" | "(" prompt ":" prompt ")" | "[" prompt "]" | scheduled | alternate
 *   scheduled   := "[" (prompt ":")? prompt ":" space? number space? "]"
 *   alternate   := "[" prompt ("|" prompt)+ "]"
 *   plain       := (any character but \ [ ] ( ) : | , or \ and a character)+
 *
 * Every bracket is parsed once per place (remembered), so hostile nesting costs linear time.
 */

export type PromptNode =
  | { kind: "text"; text: string }
  | { kind: "group"; parts: PromptNode[] }
  | { kind: "scheduled"; from: PromptNode[]; to: PromptNode[]; when: string }
  | { kind: "alternate"; options: PromptNode[][] };

/** Deeper nesting than anybody writes counts as unparsable; it would exhaust the stack. */
const MAX_DEPTH = 100;

const PLAIN = /(?:[^\\[\]():|]|\\.)+/y;
const WHEN = /\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\]/y;

interface Parsed<T> {
  value: T;
  end: number;
}

class Parser {
  readonly #source: string;
  readonly #brackets = new Map<number, Parsed<PromptNode> | undefined>();
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  #match(pattern: RegExp, at: number): RegExpExecArray | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.#source) ?? undefined;
  }

  #plain(at: number): Parsed<PromptNode> | undefined {
    const text = this.#match(PLAIN, at)?.[0];
    return text === undefined ? undefined : { value: { kind: "text", text }, end: at + text.length };
  }

  node(at: number): Parsed<PromptNode> | undefined {
    const open = this.#source[at];
    if (open !== "[" && open !== "(") return this.#plain(at);
    if (!this.#brackets.has(at)) this.#brackets.set(at, this.#bracket(at));
    return this.#brackets.get(at);
  }

  #bracket(at: number): Parsed<PromptNode> | undefined {
    if (this.#depth >= MAX_DEPTH) return undefined;
    this.#depth++;
    const first = this.#prompt(at + 1);
    const parsed = this.#source[at] === "(" ? this.#round(first) : this.#square(first);
    this.#depth--;
    return parsed;
  }

  #prompt(at: number): Parsed<PromptNode[]> {
    const value: PromptNode[] = [];
    let end = at;
    for (let next = this.node(end); next; next = this.node(end)) {
      value.push(next.value);
      end = next.end;
    }
    return { value, end };
  }

  #round(first: Parsed<PromptNode[]>): Parsed<PromptNode> | undefined {
    if (this.#source[first.end] === ")") return group("(", first.value, ")", first.end + 1);
    if (this.#source[first.end] !== ":") return undefined;
    const second = this.#prompt(first.end + 1);
    const parts = [...first.value, textNode(":"), ...second.value];
    return this.#source[second.end] === ")" ? group("(", parts, ")", second.end + 1) : undefined;
  }

  #square(first: Parsed<PromptNode[]>): Parsed<PromptNode> | undefined {
    const next = this.#source[first.end];
    if (next === "]") return group("[", first.value, "]", first.end + 1);
    if (next === "|") return this.#alternate(first);
    return next === ":" ? this.#scheduled(first) : undefined;
  }

  #alternate(first: Parsed<PromptNode[]>): Parsed<PromptNode> | undefined {
    const options = [first.value];
    let end = first.end;
    while (this.#source[end] === "|") {
      const option = this.#prompt(end + 1);
      options.push(option.value);
      end = option.end;
    }
    return this.#source[end] === "]" ? { value: { kind: "alternate", options }, end: end + 1 } : undefined;
  }

  #scheduled(first: Parsed<PromptNode[]>): Parsed<PromptNode> | undefined {
    return this.#when([], first) ?? this.#when(first.value, this.#prompt(first.end + 1));
  }

  /** The rest `: when ]` of a scheduled bracket whose last text is `to`. */
  #when(from: PromptNode[], to: Parsed<PromptNode[]>): Parsed<PromptNode> | undefined {
    const match = this.#source[to.end] === ":" ? this.#match(WHEN, to.end + 1) : undefined;
    const [rest, when] = match ?? [];
    if (rest === undefined || when === undefined) return undefined;
    return { value: { kind: "scheduled", from, to: to.value, when }, end: to.end + 1 + rest.length };
  }
}

function textNode(text: string): PromptNode {
  return { kind: "text", text };
}

function group(open: string, parts: PromptNode[], close: string, end: number): Parsed<PromptNode> {
  return { value: { kind: "group", parts: [textNode(open), ...parts, textNode(close)] }, end };
}

/** @returns undefined when the text cannot be parsed (a stray `|`, a backslash at the end): it is then all literal. */
export function parseSchedule(source: string): PromptNode[] | undefined {
  const parser = new Parser(source);
  const nodes: PromptNode[] = [];
  for (let at = 0; at < source.length;) {
    const node = parser.node(at);
    const character = source.charAt(at);
    if (!node && !"[]():".includes(character)) return undefined;
    nodes.push(node?.value ?? textNode(character));
    at = node?.end ?? at + 1;
  }
  return nodes;
}
