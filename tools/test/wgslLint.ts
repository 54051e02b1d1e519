/**
 * Finds WGSL that compiles and then computes the wrong thing, or crawls, on some driver. Each rule is a bug that
 * was met. Works on the hand-written sources in `shaders/` (with their `#for`/`#if` lines) and on generated text.
 *
 * An exception is written where it is: `// lint-ok <rule>: <reason>` on the same line or the one before; for
 * `dynamic-index` also where the array is declared.
 */

export interface Finding {
  /** From 1. */
  line: number;
  rule: Rule;
  message: string;
}

const messages = {
  "loop-var":
    "a var without initialiser in a loop keeps the previous iteration's value on some drivers: write = 0f",
  "mask-index": "an index with & is clamped at run time where % by a constant is not",
  "self-compare": "comparing a value with itself is folded: test for NaN by its bits",
  tanh: "tanh of a large argument is NaN on some drivers: use exp(-2|x|)",
  "zero-division": "a constant division by zero does not compile everywhere",
  "uniformity-off": "the compiler proves that barriers are reached by all threads: that check stays on",
  "dynamic-index": "a function-scope array with a dynamic index leaves the registers: unroll it",
} as const;

export type Rule = keyof typeof messages;

type BlockKind = "function" | "loop" | "other";

interface Block {
  kind: BlockKind;
  /** Loop variables that run over constants, for `dynamic-index`. */
  constant: string[];
}

/** State of the walk through one function. */
interface Scope {
  blocks: Block[];
  arrays: Set<string>;
}

/** The source without comments and directives, each line kept in its place. */
function withoutComments(text: string): string[] {
  const blanked = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
  return blanked.split("\n").map((line) => line.replace(/\/\/.*$/, "").replace(/^\s*#.*$/, ""));
}

function blockKind(header: string): BlockKind {
  if (/\bfn\s+\w/.test(header)) return "function";
  return /\b(for|while|loop)\b/.test(header) ? "loop" : "other";
}

/** `for (var i = 0u; i < TILE; i++)` → `["i"]`: bounds that are numbers or capitals are known when compiling. */
function constantLoopVariable(header: string): string[] {
  const match = /\bfor\s*\(\s*var\s+(\w+)[^;]*=\s*[\dA-Z_]+u?\s*;\s*\1\s*[<>]=?\s*[\dA-Z_]+u?\s*;/.exec(
    header,
  );
  return match?.[1] === undefined ? [] : [match[1]];
}

function blockOf(header: string): Block {
  return { kind: blockKind(header), constant: constantLoopVariable(header) };
}

function isConstantIndex(index: string, constants: string[]): boolean {
  const names = index.match(/[A-Za-z_$]\w*/g) ?? [];
  return names.every((name) => name.startsWith("$") || /^[A-Z_\d]+$/.test(name) || constants.includes(name));
}

/** Rules that need only the line. */
function lineRules(line: string): Rule[] {
  const found: Rule[] = [];
  if (/\[[^\]]*&[^\]]*\]/.test(line)) found.push("mask-index");
  if (/(?<![\w.])([A-Za-z_][\w.]*)\s*[!=]=\s*\1(?![\w.([])/.test(line)) found.push("self-compare");
  if (/\btanh\s*\(/.test(line)) found.push("tanh");
  if (/\bdiagnostic\s*\(\s*(off|info|warning)\b/.test(line)) found.push("uniformity-off");
  if (/\b\d+(\.\d*)?[fh]?\s*\/\s*0+(\.0*)?[fh]?(?![\w.])/.test(line)) found.push("zero-division");
  return found;
}

/** Rules that need to know where in the function the statement stands. */
function statementRules(statement: string, scope: Scope): Rule[] {
  const found: Rule[] = [];
  const inLoop = scope.blocks.some((block) => block.kind === "loop");
  if (inLoop && /^\s*var\s+[^=;]+$/.test(statement)) found.push("loop-var");
  const constants = scope.blocks.flatMap((block) => block.constant);
  for (const [, name = "", index = ""] of statement.matchAll(/(\w+)\[([^\]]*)\]/g)) {
    if (scope.arrays.has(name) && !isConstantIndex(index, constants)) found.push("dynamic-index");
  }
  return found;
}

/** The array that a statement inside a function declares. */
function declaredArray(statement: string): string | undefined {
  return /^\s*var\s+(\w+)\s*(?::\s*array|=\s*array)\b/.exec(statement)?.[1];
}

type IsExcused = (index: number, rule: Rule) => boolean;

/** Whether the source says that the rule does not apply to a line. */
function excuses(source: string): IsExcused {
  const raw = source.split("\n");
  return (index, rule) => [raw[index], raw[index - 1]].some((line) => line?.includes(`lint-ok ${rule}:`));
}

function emptyScope(): Scope {
  return { blocks: [], arrays: new Set() };
}

/** Walks statement by statement; a `fn` at the beginning of a line starts afresh, whatever `#if` did to braces. */
function structureRules(lines: string[], isExcused: IsExcused): [line: number, rule: Rule][] {
  const found: [number, Rule][] = [];
  let scope = emptyScope();
  let statement = "";
  let began = 0;
  let depth = 0;
  lines.forEach((line, index) => {
    if (/^(@\w+.*)?fn\s/.test(line)) [scope, statement, depth] = [emptyScope(), "", 0];
    for (const character of line) {
      if (character === "(") depth++;
      if (character === ")") depth--;
      if (!/[{};]/.test(character) || (character === ";" && depth > 0)) {
        if (statement.trim() === "") began = index;
        statement += character;
        continue;
      }
      for (const rule of statementRules(statement, scope)) found.push([index, rule]);
      const array = declaredArray(statement);
      if (array !== undefined && !isExcused(began, "dynamic-index")) scope.arrays.add(array);
      if (character === "{") scope.blocks.push(blockOf(statement));
      if (character === "}") scope.blocks.pop();
      statement = "";
    }
    statement += " ";
  });
  return found;
}

/** Everything the rules find in one WGSL source, in the order of its lines. */
export function lintWgsl(source: string): Finding[] {
  const lines = withoutComments(source);
  const isExcused = excuses(source);
  const simple = lines.flatMap((line, index) => lineRules(line).map((rule): [number, Rule] => [index, rule]));
  return [...simple, ...structureRules(lines, isExcused)]
    .filter(([index, rule]) => !isExcused(index, rule))
    .sort(([a], [b]) => a - b)
    .map(([index, rule]) => ({ line: index + 1, rule, message: messages[rule] }));
}
