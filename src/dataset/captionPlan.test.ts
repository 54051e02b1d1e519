import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isFixed,
  plainCaptions,
  plannedCaption,
  triggeredCaption,
  type CaptionOptions,
  type CaptionRandom,
} from "./captionPlan";
import { captionRandom } from "./captionRandom";
import { PythonRandom } from "./testing/pythonRandom";

const C = "1girl, red hair, smile, sky, tree, cat";
const moment = { step: 0, epoch: 1, totalSteps: 1000 };

function planned(
  caption: string,
  change: Partial<CaptionOptions>,
  random: CaptionRandom,
  at = moment,
): string {
  return plannedCaption(caption, { ...plainCaptions, ...change }, at, random);
}

const neverAsked: CaptionRandom = {
  dropout: () => expect.unreachable("no dropout is drawn"),
  uniform: () => expect.unreachable("no number is drawn"),
  below: () => expect.unreachable("no choice is drawn"),
};

/** What sd-scripts gives with Python's generator seeded just before: recorded values of its own code. */
describe("sd-scripts' results", () => {
  const shuffleCaption = true;
  const cases: [caption: string, change: Partial<CaptionOptions>, seed: number, expected: string][] = [
    [C, { shuffleCaption }, 42, "sky, red hair, smile, tree, 1girl, cat"],
    [C, { shuffleCaption, keepTokens: 1 }, 42, "1girl, tree, smile, sky, cat, red hair"],
    [C, { shuffleCaption, keepTokens: 2 }, 1, "1girl, red hair, cat, smile, tree, sky"],
    [C, { captionTagDropout: 0.3 }, 42, "1girl, tree, cat"],
    [C, { shuffleCaption, keepTokens: 1, captionTagDropout: 0.3 }, 42, "1girl, cat, red hair"],
    [C, { captionDropout: 0.7 }, 42, ""],
    [C, { captionDropout: 0.6 }, 42, C],
    ["a , b,,c", {}, 1, "a , b,,c"],
    ["a , b,,c", { shuffleCaption }, 42, ", b, c, a"],
    ["a, b ||| c, d, f ||| e", { shuffleCaption, keepTokensSeparator: "|||" }, 42, "a, b, d, c, f, e"],
    ["a, b ||| c, d, f ||| e", { keepTokensSeparator: "|||" }, 42, "a, b ||| c, d, f ||| e"],
    ["x, {red|green|blue} hat, {{lit}}", { enableWildcard: true }, 42, "x, blue hat, {lit}"],
    ["l1\nl2\nl3", { enableWildcard: true }, 7, "l2"],
    ["l1\nl2\nl3", {}, 7, "l1"],
    ["a;;;b, c, d", { shuffleCaption, secondarySeparator: ";;;" }, 42, "c, a,b, d"],
    ["a, b, c", { captionPrefix: "pre,", captionSuffix: "suf" }, 1, "pre, a, b, c suf"],
  ];
  it.each(cases)("%j %j seed %d → %j", (caption, change, seed, expected) => {
    expect(planned(caption, change, new PythonRandom(seed))).toBe(expected);
  });

  it.each([
    [0, 1],
    [25, 2],
    [50, 3],
    [99, 5],
    [100, 6],
  ])("token warm-up at step %d keeps %d pieces", (step, pieces) => {
    const at = { ...moment, step };
    expect(planned(C, { tokenWarmupStep: 100 }, neverAsked, at)).toBe(
      C.split(", ").slice(0, pieces).join(", "),
    );
    expect(planned(C, { tokenWarmupStep: 0.1 }, neverAsked, at)).toBe(
      C.split(", ").slice(0, pieces).join(", "),
    );
  });

  it("the stand-in for Python's generator draws what Python draws", () => {
    const random = new PythonRandom(42);
    expect([random.uniform(), random.uniform(), random.uniform()]).toEqual([
      0.6394267984578837, 0.025010755222666936, 0.27502931836911926,
    ]);
  });
});

describe("captions", () => {
  const words = fc.array(fc.constantFrom("a", "b", "c d", "é", "{x|y}", "(z:1.2)"), {
    minLength: 1,
    maxLength: 12,
  });
  const options = fc.record({
    shuffleCaption: fc.boolean(),
    keepTokens: fc.nat(4),
    enableWildcard: fc.constant(false),
    captionTagDropout: fc.constantFrom(0, 0.4),
  });

  it("keep what is to be kept, and invent nothing", () => {
    fc.assert(
      fc.property(words, options, fc.nat(), (tags, change, step) => {
        const result = planned(tags.join(", "), change, captionRandom(1, step, 0)).split(", ");
        const cuts = change.shuffleCaption || change.captionTagDropout > 0;
        const fixed = cuts ? change.keepTokens : tags.length;
        expect(result.slice(0, fixed)).toEqual(tags.slice(0, Math.min(fixed, tags.length)));
        const left: string[] = [...tags];
        for (const tag of result.filter((one) => one !== "")) {
          expect(left).toContain(tag);
          left.splice(left.indexOf(tag), 1);
        }
        expect(change.captionTagDropout === 0 ? left : []).toEqual([]);
      }),
    );
  });

  it("are the same for the same seed and step, whatever was drawn before", () => {
    const change = { shuffleCaption: true, captionTagDropout: 0.2, captionDropout: 0.1 };
    const draw = (step: number, image: number) => planned(C, change, captionRandom(9, step, image));
    const forward = Array.from({ length: 40 }, (_, step) => draw(step, step % 3));
    const backward = Array.from({ length: 40 }, (_, i) => draw(39 - i, (39 - i) % 3)).toReversed();
    expect(backward).toEqual(forward);
    expect(new Set(forward).size).toBeGreaterThan(30);
  });

  it("are dropped, shuffled and chosen as often as asked", () => {
    const draws = 20_000;
    const counts = { dropped: 0, red: 0, tagGone: 0, first: new Map<string, number>() };
    const change = {
      shuffleCaption: true,
      keepTokens: 1,
      captionDropout: 0.2,
      captionTagDropout: 0.25,
      enableWildcard: true,
    };
    for (let step = 0; step < draws; step++) {
      const text = planned("k, {red|blue} a, b, c", change, captionRandom(5, step, step % 4));
      const [, second = ""] = text.split(", ");
      if (text === "") counts.dropped++;
      else {
        if (text.includes("red")) counts.red++;
        if (!/\bb\b/.test(text)) counts.tagGone++;
        counts.first.set(second.at(-1) ?? "", (counts.first.get(second.at(-1) ?? "") ?? 0) + 1);
      }
    }
    const captioned = draws - counts.dropped;
    // Five standard deviations.
    const near = (count: number, n: number, p: number) =>
      expect(Math.abs(count - n * p)).toBeLessThan(5 * Math.sqrt(n * p * (1 - p)));
    near(counts.dropped, draws, 0.2);
    near(counts.red, captioned, 0.5 * 0.75);
    near(counts.tagGone, captioned, 0.25);
    for (const tag of ["a", "b", "c"]) near(counts.first.get(tag) ?? 0, captioned, (1 - 0.25 ** 3) / 3);
  });

  it("drop every n-th epoch, counted from one", () => {
    const at = (epoch: number) =>
      planned(C, { captionDropoutEveryNEpochs: 2 }, neverAsked, { ...moment, epoch });
    expect([1, 2, 3, 4].map(at)).toEqual([C, "", C, ""]);
  });

  it("keep the trigger word in front, behind a prefix too, without keep_tokens", () => {
    const shuffled = { ...plainCaptions, shuffleCaption: true, captionTagDropout: 0.5 };
    for (let step = 0; step < 50; step++) {
      const random = captionRandom(3, step, 0);
      const text = triggeredCaption("inkwash", C, false);
      expect(plannedCaption(text, shuffled, moment, random, "inkwash")).toMatch(/^inkwash(,|$)/);
      const prefixed = { ...shuffled, captionPrefix: "best quality," };
      expect(plannedCaption(text, prefixed, moment, random, "inkwash")).toMatch(
        /^best quality, inkwash(,|$)/,
      );
    }
  });

  it("have the trigger word in every line that may be chosen, and one line without wildcards", () => {
    expect(triggeredCaption("ink", " a cat \n\n an ink dog ", true)).toBe("ink, a cat\nan ink dog");
    expect(triggeredCaption("ink", " a cat \n a dog ", false)).toBe("ink, a cat");
    expect(triggeredCaption("ink", "", true)).toBe("ink");
    expect(triggeredCaption("", " \n ", false)).toBe("");
  });

  it("are known to be fixed when nothing about them changes from draw to draw", () => {
    expect(
      isFixed({ ...plainCaptions, captionPrefix: "p", secondarySeparator: ";;", captionDropout: 0.5 }),
    ).toBe(true);
    for (const change of [
      { shuffleCaption: true },
      { captionTagDropout: 0.1 },
      { tokenWarmupStep: 10 },
      { enableWildcard: true },
      { captionDropoutEveryNEpochs: 3 },
    ])
      expect(isFixed({ ...plainCaptions, ...change })).toBe(false);
  });
});
