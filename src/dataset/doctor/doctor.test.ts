import { describe, expect, it } from "vitest";
import { diagnose } from ".";
import { wordsOfName } from "./captions";
import { withoutStyle } from "./trigger";
import type { Examination, Finding, Patient } from "./types";

const clear = { colours: "80".repeat(48), blur: 0.2, blockiness: 1 };
/** 64-bit hashes far from one another, as of different pictures. */
const hashOf = (n: number): string =>
  ((BigInt(n + 1) * 0x9e3779b97f4a7c15n) & (2n ** 64n - 1n)).toString(16).padStart(16, "0");

function patient(n: number, more: Partial<Patient> = {}): Patient {
  const look = { ...clear, hash: hashOf(n) };
  return {
    id: `p${n}`,
    name: `p${n}.png`,
    width: 640,
    height: 640,
    repeats: 1,
    caption: `inkwash, thing ${n}`,
    look,
    ...more,
  };
}

/** Forty pictures without fault, and the given ones. */
function examine(extra: Patient[], question: Partial<Examination> = {}): Finding[] {
  const healthy = Array.from({ length: 40 }, (_, n) => patient(100 + n));
  const words = (text: string): number => text.split(/[\s,]+/).length;
  return diagnose({
    patients: [...healthy, ...extra],
    resolution: 512,
    trigger: "inkwash",
    preset: "style",
    countTokens: words,
    ...question,
  });
}

function one(findings: Finding[]): Finding {
  expect(findings).toHaveLength(1);
  const [finding] = findings;
  if (!finding) throw new Error("no finding");
  return finding;
}

const treated = (finding: Finding): string[] => finding.fix?.treatments.map(({ id }) => id) ?? [];

describe("the doctor", () => {
  it("has nothing to say about a good dataset", () => {
    expect(examine([])).toEqual([]);
  });

  it("finds pictures that are enlarged, the worst first", () => {
    const small = [
      patient(1, { width: 400, height: 400 }),
      patient(2, { width: 100, height: 100 }),
      patient(3, { width: 450, height: 450 }),
    ];
    const finding = one(examine(small));
    expect(finding).toMatchObject({ kind: "too-small", severity: "problem" });
    expect(treated(finding)).toEqual(["p2", "p1"]);
    expect(examine(small, { resolution: 64 })).toEqual([]);
  });

  it("finds what the crop takes most of", () => {
    const finding = one(
      examine([patient(1, { width: 4000, height: 640 }), patient(2, { width: 1000, height: 700 })]),
    );
    expect(finding.kind).toBe("extreme-aspect");
    expect(finding.pictures.map(({ id }) => id)).toEqual(["p1"]);
  });

  it("pairs near duplicates and keeps the better of a group", () => {
    const look = { ...clear, hash: "00ff00ff00ff00ff" };
    const group = [
      patient(1, { look }),
      patient(2, { look: { ...look, hash: "00ff00ff00ff00fe" }, width: 900, height: 900 }),
      patient(3, { look: { ...look, hash: "00ff00ff00ff00f0" } }),
      patient(4, { look: { ...look, colours: "ff".repeat(48) } }),
    ];
    const finding = one(examine(group));
    expect(finding.kind).toBe("near-duplicates");
    expect(finding.pairs).toContainEqual(["p1", "p2"]);
    expect(treated(finding).toSorted()).toEqual(["p1", "p3"]);
  });

  it("is done with ten thousand blank pictures in a moment", () => {
    const blank = Array.from({ length: 10_000 }, (_, n) =>
      patient(n, {
        look: { ...clear, hash: "0".repeat(16), colours: (n % 256).toString(16).padStart(2, "0").repeat(48) },
      }),
    );
    const begin = performance.now();
    expect(examine(blank).map(({ kind }) => kind)).toContain("near-duplicates");
    expect(performance.now() - begin).toBeLessThan(10_000);
  });

  it("finds blur and JPEG blocks, but not blocks that shrink away", () => {
    const blurred = patient(1, { look: { ...clear, hash: hashOf(1), blur: 0.8 } });
    const blocks = { name: "a.jpg", look: { ...clear, hash: hashOf(2), blockiness: 3 } };
    expect(examine([blurred]).map(({ kind }) => kind)).toEqual(["blurry"]);
    const poor = { ...blocks, look: { ...blocks.look, blockiness: 1.5, quality: 20 } };
    expect(examine([patient(2, poor)])[0]?.pictures[0]?.detail).toBe("saved at quality 20 of 100");
    expect(examine([patient(2, blocks)]).map(({ kind }) => kind)).toEqual(["jpeg-ruined"]);
    expect(examine([patient(2, { ...blocks, width: 3000, height: 3000 })])).toEqual([]);
    expect(examine([patient(2, { ...blocks, name: "pixel art.png" })])).toEqual([]);
  });

  it("says what few pictures mean for the preset", () => {
    const few = Array.from({ length: 10 }, (_, n) => patient(n));
    const style = one(examine([], { patients: few }));
    expect(style).toMatchObject({ kind: "too-few", severity: "problem", action: "add-pictures" });
    expect(one(examine([], { patients: few, preset: "character" })).severity).toBe("hint");
  });

  it("evens out folders as Kohya's tool does", () => {
    const folder = (name: string, count: number, repeats: number): Patient[] =>
      Array.from({ length: count }, (_, n) =>
        patient(1000 * count + n, { name: `${name}/${n}.png`, repeats }),
      );
    const finding = one(examine([], { patients: [...folder("a", 30, 10), ...folder("b", 10, 1)] }));
    expect(finding.kind).toBe("unbalanced-repeats");
    const repeats = new Set(finding.fix?.treatments.map((treatment) => treatment.repeats));
    expect(repeats).toEqual(new Set([1, 3]));
  });

  it("takes missing captions from file names that say something", () => {
    const finding = one(
      examine([
        patient(1, { caption: " ", name: "red_bicycle-01.png" }),
        patient(2, { caption: "", name: "IMG_2044.jpg" }),
      ]),
    );
    expect(finding).toMatchObject({ kind: "missing-captions", action: "caption" });
    expect(finding.fix?.treatments).toEqual([{ id: "p1", caption: "red bicycle" }]);
    expect(["DSC_0001.JPG", "a7f3e9.png", "photo (2).png"].map(wordsOfName)).toEqual(["", "", ""]);
  });

  it("finds captions that many share", () => {
    const same = Array.from({ length: 25 }, (_, n) => patient(n, { caption: "inkwash, a house" }));
    expect(one(examine(same)).kind).toBe("identical-captions");
  });

  it("shortens what the text encoder does not read, at a comma", () => {
    const long = Array.from({ length: 50 }, (_, n) => `big thing${n}`).join(", ");
    const finding = one(
      examine([patient(1, { caption: long })]).filter(({ kind }) => kind !== "trigger-missing"),
    );
    expect(finding.kind).toBe("long-captions");
    // The trigger goes in front when it is trained: 1 + 2 · 37 words.
    expect(finding.fix?.treatments[0]?.caption?.split(", ")).toHaveLength(37);
  });

  it("asks for a trigger word, and for it in all captions when it is in some", () => {
    expect(one(examine([], { trigger: " " })).kind).toBe("no-trigger");
    const finding = one(examine([patient(1, { caption: "a house" })]));
    expect(finding.fix?.treatments).toEqual([{ id: "p1", caption: "inkwash, a house" }]);
    expect(examine([], { trigger: "other" })).toEqual([]);
  });

  it("takes the style out of captions, for styles only", () => {
    const painted = patient(1, {
      caption: "inkwash, a watercolor painting of a fox in the style of Hokusai, snow",
    });
    const finding = one(examine([painted]));
    expect(finding.kind).toBe("style-in-captions");
    expect(finding.fix?.treatments).toEqual([{ id: "p1", caption: "inkwash, a fox, snow" }]);
    expect(examine([painted], { preset: "character" })).toEqual([]);
  });

  it.each([
    ["an oil painting of two boats, anime style, sea", "two boats, sea"],
    ["a dog drawn by Jane Doe, grass", "a dog, grass"],
    ["a cartoon cat", "a cat"],
    ["a dog in anime style, grass", "a dog, grass"],
    ["a dog in a style of its own", "a dog"],
    [
      "a girl holding a painting, a sketchbook on the table",
      "a girl holding a painting, a sketchbook on the table",
    ],
  ])("%j without its style is %j", (caption, expected) => {
    expect(withoutStyle(caption)).toBe(expected);
  });
});
