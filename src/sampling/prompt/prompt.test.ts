import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAttention } from "./attention";
import { CHUNK_TOKENS, chunkPrompt, END_TOKEN, START_TOKEN } from "./chunks";
import { stripComments } from "./comments";
import { splitConjunction } from "./conjunction";
import { applyEmphasis } from "./emphasis";
import { extractNetworkTags, loraOfTag } from "./extraNetworks";
import { planPrompt } from "./plan";
import { expandSchedule, scheduleIndexAt } from "./schedule";

const pieces = (prompt: string) =>
  parseAttention(prompt).map(({ text, weight }) => [text, Number(weight.toFixed(4))]);

describe("attention", () => {
  it.each([
    [
      "an (important) word",
      [
        ["an ", 1],
        ["important", 1.1],
        [" word", 1],
      ],
    ],
    ["(unbalanced", [["unbalanced", 1.1]]],
    ["\\(literal\\]", [["(literal]", 1]]],
    ["(unnecessary)(parens)", [["unnecessaryparens", 1.1]]],
    [
      "a (b:1.3) [c]",
      [
        ["a ", 1],
        ["b", 1.3],
        [" ", 1],
        ["c", 0.9091],
      ],
    ],
    [
      "a BREAK b",
      [
        ["a", 1],
        ["BREAK", -1],
        ["b", 1],
      ],
    ],
    ["(a:1.2.3)", [["a:1.2.3", 1.1]]],
    ["", [["", 1]]],
  ])("parses %j", (prompt, expected) => {
    expect(pieces(prompt)).toEqual(expected);
  });

  it("keeps text without special characters whole, at weight 1", () => {
    fc.assert(
      fc.property(
        fc.string().filter((s) => !/[\\()[\]:]|BREAK/.test(s)),
        (text) => {
          expect(parseAttention(text)).toEqual([{ text, weight: 1 }]);
        },
      ),
    );
  });
});

const schedule = (prompt: string, steps = 10, hiresSteps?: number) =>
  expandSchedule(prompt, { steps, ...(hiresSteps ? { hiresSteps } : {}) }).map(({ end, text }) => [
    end,
    text,
  ]);

describe("editing", () => {
  it.each([
    [
      "a [b:3]",
      [
        [3, "a "],
        [10, "a b"],
      ],
    ],
    [
      "a[b:[c:d:2]:1]e",
      [
        [1, "abe"],
        [2, "ace"],
        [10, "ade"],
      ],
    ],
    [
      "((a][:b:c [d:3]",
      [
        [3, "((a][:b:c "],
        [10, "((a][:b:c d"],
      ],
    ],
    ["[a:b:-1]", [[10, "b"]]],
    ["[a:b]", [[10, "[a:b]"]]],
    ["[cat|dog", [[10, "[cat|dog"]]],
    ["ends in \\", [[10, "ends in \\"]]],
    [
      "[a:b:1e0]",
      [
        [1, "a"],
        [10, "b"],
      ],
    ],
  ])("expands %j", (prompt, expected) => {
    expect(schedule(prompt)).toEqual(expected);
  });

  it("alternates", () => {
    expect(schedule("[fe|]male", 3)).toEqual([
      [1, "female"],
      [2, "male"],
      [3, "female"],
    ]);
  });

  it("shifts times for the second pass", () => {
    expect(schedule("a [b:.5] c", 10, 10)).toEqual([[10, "a b c"]]);
    expect(schedule("a [b:1.5] c", 10, 10)).toEqual([
      [5, "a  c"],
      [10, "a b c"],
    ]);
  });

  it("knows the old rule", () => {
    const old = expandSchedule("[a:b:2.5]", { steps: 10, oldRule: true });
    expect(old.map(({ end, text }) => [end, text])).toEqual([
      [2, "a"],
      [10, "b"],
    ]);
  });

  it("survives hostile nesting quickly", () => {
    const deep = "[(".repeat(20_000);
    const start = performance.now();
    expect(expandSchedule(deep, { steps: 5 })).toEqual([{ end: 5, text: deep }]);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("never throws and always ends at the last step", () => {
    const unit = fc.constantFrom("[", "]", "(", ")", ":", "|", "\\", "a", " ", "3", "0.5", "\n");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (prompt) => {
        const expanded = expandSchedule(prompt, { steps: 6 });
        expect(expanded.at(-1)?.end).toBe(6);
      }),
    );
  });

  it("picks the entry of a model call", () => {
    const entries = expandSchedule("[a:b:3]", { steps: 10 });
    expect([0, 3, 4, 9, 12].map((call) => scheduleIndexAt(entries, call))).toEqual([0, 0, 1, 1, 1]);
  });
});

it("splits at AND, with weights", () => {
  expect(splitConjunction("a :1.2 AND b:-.5 AND cANDd")).toEqual([
    { text: "a", weight: 1.2 },
    { text: " b", weight: -0.5 },
    { text: " cANDd", weight: 1 },
  ]);
});

describe("network tags", () => {
  const lora = (tag: string) => extractNetworkTags(tag).tags.map(loraOfTag);

  it("gives the first number to both, the second to the UNet", () => {
    expect(lora("<lora:x:0.5>")).toEqual([{ name: "x", te: 0.5, unet: 0.5 }]);
    expect(lora("<lora:x:0:0.8>")).toEqual([{ name: "x", te: 0, unet: 0.8 }]);
    expect(lora("<lora:x:unet=0.7>")).toEqual([{ name: "x", te: 1, unet: 0.7 }]);
  });

  it.each(["<lora:x:strong>", "<lora:x:>", "<lora:x:1e999>", "<lora:x:te=NaN>"])(
    "refuses %s by name",
    (tag) => {
      expect(() => lora(tag)).toThrow(/lora:x/);
    },
  );

  it("leaves what is no tag", () => {
    expect(extractNetworkTags("a <lora> < b > <lora:>")).toEqual({
      text: "a <lora> < b > <lora:>",
      tags: [],
    });
  });
});

it("takes comments out", () => {
  expect(stripComments("a cat # not a dog\n# a line\nblue")).toBe("a cat \nblue");
});

describe("chunks", () => {
  /** One token per character; a comma is the comma token. */
  const encode = (text: string) => [...text].map((c) => (c === "," ? 267 : c.charCodeAt(0)));
  const chunk = (prompt: string, padToken?: number) =>
    chunkPrompt(parseAttention(prompt), { encode, ...(padToken === undefined ? {} : { padToken }) });

  it("wraps and pads", () => {
    const { chunks, tokenCount } = chunk("(ab:1.5)", 0);
    expect(tokenCount).toBe(2);
    expect(chunks[0]?.tokens).toEqual([START_TOKEN, 97, 98, END_TOKEN, ...Array(73).fill(0)]);
    expect(chunks[0]?.multipliers).toEqual([1, 1.5, 1.5, ...Array(74).fill(1)]);
  });

  it("moves what follows a near comma to the next chunk", () => {
    const { chunks } = chunk("x".repeat(60) + "," + "y".repeat(30));
    expect(chunks.map(({ tokens }) => tokens.indexOf(END_TOKEN) - 1)).toEqual([61, 30]);
  });

  it("cuts through when the comma is too far back", () => {
    const { chunks } = chunk("x".repeat(20) + "," + "y".repeat(60));
    expect(chunks.map(({ tokens }) => tokens.indexOf(END_TOKEN) - 1)).toEqual([75, 6]);
  });

  it("loses and invents no token, and every chunk has 77", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b", ","), maxLength: 400 }), (text) => {
        const { chunks } = chunk(text);
        const content = chunks.flatMap(({ tokens }) =>
          tokens.filter((t) => t !== START_TOKEN && t !== END_TOKEN),
        );
        expect(content).toEqual(encode(text));
        expect(chunks.every((c) => c.tokens.length === CHUNK_TOKENS + 2 && c.multipliers.length === 77)).toBe(
          true,
        );
      }),
    );
  });
});

describe("emphasis", () => {
  const states = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8); // [1, 4 tokens, 2]
  const weights = [[1, 1.5, 0.5, 1]];

  it("restores the mean", () => {
    const out = applyEmphasis(states, weights);
    expect(out.reduce((a, b) => a + b, 0)).toBeCloseTo(36, 4);
    expect((out[2] ?? 0) / (out[0] ?? 1)).toBeCloseTo(4.5, 5);
  });

  it("only multiplies without the norm", () => {
    expect([...applyEmphasis(states, weights, { mode: "no-norm" })]).toEqual([1, 2, 4.5, 6, 2.5, 3, 7, 8]);
    expect(applyEmphasis(states, weights, { mode: "ignore" })).toEqual(states);
  });

  it("restores the mean of each of two encoders side by side", () => {
    const first = applyEmphasis(Float32Array.from([1, 3, 5, 7]), weights);
    const second = applyEmphasis(Float32Array.from([2, 4, 6, 8]), weights);
    const both = applyEmphasis(states, weights, { widths: [1, 1] });
    expect([0, 2, 4, 6].map((i) => both[i])).toEqual([...first]);
    expect([1, 3, 5, 7].map((i) => both[i])).toEqual([...second]);
  });
});

it("plans a whole prompt", () => {
  expect(planPrompt("a [b:c:2] <lora:x:0.8> AND d:0.5", { steps: 4 })).toEqual({
    loras: [{ name: "x", te: 0.8, unet: 0.8 }],
    parts: [
      {
        weight: 1,
        schedule: [
          { end: 2, text: "a b" },
          { end: 4, text: "a c" },
        ],
      },
      { weight: 0.5, schedule: [{ end: 4, text: " d" }] },
    ],
  });
});
