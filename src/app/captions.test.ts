import { describe, expect, it } from "vitest";
import { plainCaptions, type CaptionOptions } from "../dataset/captionPlan";
import { finalCaption, trainedCaptions } from "./captions";

const shown = (caption: string, change: Partial<CaptionOptions> = {}, trigger = "ink", examples = 40) =>
  trainedCaptions(
    trigger,
    caption,
    { ...plainCaptions, ...change, seed: 1, steps: 400 },
    examples,
  ).toSorted();

/** By the order of steps in `process_caption`, see reference/kohya-dataset.md, section 2. */
describe("what training sees of a caption", () => {
  it("is one text when nothing is random, with prefix and suffix around it", () => {
    expect(shown(" a cat, red \n a dog")).toEqual(["ink, a cat, red"]);
    expect(shown("a cat", { captionPrefix: "best,", captionSuffix: "high" })).toEqual([
      "best, ink, a cat high",
    ]);
    expect(shown("a;;;b, c", { secondarySeparator: ";;;" }, "")).toEqual(["a,b, c"]);
    expect(finalCaption("ink", "one\ntwo")).toBe("ink, one");
  });

  it("keeps the bars of a separator that nothing uses", () => {
    expect(shown("a ||| b, c", { keepTokensSeparator: "|||" }, "")).toEqual(["a ||| b, c"]);
  });

  it("is every line in turn with wildcards on, each with the trigger word, and every alternative", () => {
    expect(shown("a cat\na dog", { enableWildcard: true })).toEqual(["ink, a cat", "ink, a dog"]);
    expect(shown("a {red|blue} cat, {{lit}}", { enableWildcard: true })).toEqual([
      "ink, a blue cat, {lit}",
      "ink, a red cat, {lit}",
    ]);
    expect(shown("a {red|blue} cat")).toEqual(["ink, a {red|blue} cat"]);
  });

  it("is every order of the pieces behind those that are kept", () => {
    const orders = ["b, c, d", "b, d, c", "c, b, d", "c, d, b", "d, b, c", "d, c, b"];
    expect(shown("a, b, c, d", { shuffleCaption: true, keepTokens: 1 }, "")).toEqual(
      orders.map((rest) => `a, ${rest}`),
    );
    expect(shown("b, c, d", { shuffleCaption: true })).toEqual(orders.map((rest) => `ink, ${rest}`));
    expect(shown("x ||| a, b ||| y", { shuffleCaption: true, keepTokensSeparator: "|||" }, "")).toEqual([
      "x, a, b, y",
      "x, b, a, y",
    ]);
  });

  it("is without some tags, or without any caption, when they are dropped", () => {
    expect(shown("a, b", { captionTagDropout: 0.5 }, "")).toEqual(["", "a", "a, b", "b"]);
    expect(shown("a, b", { captionTagDropout: 0.5, keepTokens: 1 }, "")).toEqual(["a", "a, b"]);
    expect(shown("a, b", { captionDropout: 0.5 })).toEqual(["", "ink, a, b"]);
    expect(shown("a, b", { captionDropoutEveryNEpochs: 2 })).toEqual(["", "ink, a, b"]);
  });

  it("grows tag by tag while it warms up", () => {
    expect(shown("a, b, c", { tokenWarmupStep: 0.5 }, "")).toEqual(["a", "a, b", "a, b, c"]);
  });
});
