import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { edited, editLabel } from "./bulk";
import { diffCaptions } from "./diff";
import { search, toggledTag } from "./query";
import { countTags, isTagList, joinTags, moved, splitTags, suggestTags, tagKey, tagsBeside } from "./tags";

const tag = fc.constantFrom("cat", "Red hair", "smile", "sky", "1girl", "(x:1.2)", "日本", "é");
const tags = fc.uniqueArray(tag, { selector: tagKey, maxLength: 8 });
const messy = fc
  .array(fc.oneof(tag, fc.constantFrom(" cat ", "", " ", "CAT")), { maxLength: 8 })
  .map((list) => list.join(","));

describe("tags", () => {
  it("count captions, not mentions, and know their neighbours", () => {
    const captions = ["cat, sky, cat", "Cat, smile", "dog, sky", ""];
    expect(countTags(captions)).toEqual([
      { tag: "cat", count: 2 },
      { tag: "sky", count: 2 },
      { tag: "dog", count: 1 },
      { tag: "smile", count: 1 },
    ]);
    expect(tagsBeside(captions, "CAT")).toEqual([
      { tag: "sky", count: 1 },
      { tag: "smile", count: 1 },
    ]);
  });

  it("are suggested by frequency, beginnings first, none that is there", () => {
    const counts = countTags([
      "red hair, hair ribbon, hairpin",
      "red hair, hairpin",
      "hair ribbon, red hair",
    ]);
    expect(suggestTags(counts, "hair", [])).toEqual(["hair ribbon", "hairpin", "red hair"]);
    expect(suggestTags(counts, "hair", ["Hairpin"])).toEqual(["hair ribbon", "red hair"]);
    expect(suggestTags(counts, " ", [])).toEqual([]);
  });

  it("survive being split and joined", () => {
    fc.assert(
      fc.property(tags, (list) => {
        expect(splitTags(joinTags(list))).toEqual(list);
      }),
    );
  });

  it("moved keeps every item", () => {
    fc.assert(
      fc.property(
        tags,
        fc.integer({ min: -2, max: 9 }),
        fc.integer({ min: -2, max: 9 }),
        (list, from, to) => {
          const result = moved(list, from, to);
          expect(result.toSorted()).toEqual(list.toSorted());
          expect(moved(result, to, from)).toEqual(list);
        },
      ),
    );
  });

  it("are told from sentences", () => {
    expect(isTagList("1girl, red hair")).toBe(true);
    expect(isTagList("a cat")).toBe(false);
    expect(isTagList("a photograph of a cat that sits on a mat, in the evening light of a summer")).toBe(
      false,
    );
    expect(isTagList("a, b\nc, d")).toBe(false);
  });
});

describe("bulk edits", () => {
  it("add once: a second time changes nothing, and what was there stays in order", () => {
    fc.assert(
      fc.property(
        messy,
        tags,
        fc.constantFrom("front" as const, "back" as const),
        (caption, added, where) => {
          const edit = { kind: "add", tags: joinTags(added), where } as const;
          const once = edited(caption, edit);
          expect(edited(once, edit)).toBe(once);
          const keys = splitTags(once).map(tagKey);
          for (const one of added) expect(keys).toContain(tagKey(one));
          const old = splitTags(caption);
          expect(splitTags(once).filter((one) => old.includes(one))).toEqual(old);
        },
      ),
    );
  });

  it("remove takes every mention, and leaves captions without it letter for letter", () => {
    fc.assert(
      fc.property(messy, tag, (caption, gone) => {
        const after = edited(caption, { kind: "remove", tags: gone });
        expect(splitTags(after).map(tagKey)).not.toContain(tagKey(gone));
        const had = splitTags(caption).map(tagKey).includes(tagKey(gone));
        expect(had || after === caption).toBe(true);
      }),
    );
  });

  it("replace whole tags, text, and nothing when there is nothing to find", () => {
    const base = { kind: "replace", wholeTags: true, matchCase: false } as const;
    expect(edited("Cat, caterpillar , cat", { ...base, find: "cat", replacement: "dog, pet" })).toBe(
      "dog, pet, caterpillar",
    );
    expect(edited("cat,  sky", { ...base, find: "dog", replacement: "x" })).toBe("cat,  sky");
    expect(edited("cat, dog", { ...base, find: "cat", replacement: "" })).toBe("dog");
    const text = { ...base, wholeTags: false };
    expect(edited("Cat, caterpillar", { ...text, find: "CAT", replacement: "$& do" })).toBe(
      "$& do, $& doerpillar",
    );
    expect(edited("Cat, cat", { ...text, matchCase: true, find: "cat", replacement: "dog" })).toBe(
      "Cat, dog",
    );
    expect(edited("a.b", { ...text, find: ".", replacement: "-" })).toBe("a-b");
    expect(edited("abc", { ...text, find: "", replacement: "-" })).toBe("abc");
    expect(editLabel({ ...text, find: "cat", replacement: "" })).toBe('Replace "cat"');
  });

  it("work on every line of a caption with several", () => {
    expect(edited("cat\ndog", { kind: "add", tags: "pet", where: "back" })).toBe("cat, pet\ndog, pet");
    expect(edited("", { kind: "add", tags: "pet, home", where: "front" })).toBe("pet, home");
  });
});

describe("search", () => {
  const images = [
    { name: "a/beach.png", caption: "cat, red hair, smile" },
    { name: "b.png", caption: "dog, red hair band" },
    { name: "cat.png", caption: "" },
  ];
  const names = (query: string) => search(images, query).map(({ name }) => name);

  it.each([
    ["", ["a/beach.png", "b.png", "cat.png"]],
    ["CAT", ["a/beach.png", "cat.png"]],
    ["caption:cat", ["a/beach.png"]],
    ["cat -smile", ["cat.png"]],
    ['tag:"red hair"', ["a/beach.png"]],
    ['-tag:"red hair"', ["b.png", "cat.png"]],
    ["name:beach red", ["a/beach.png"]],
    ['tag:"red', []],
    ["-", ["a/beach.png", "b.png", "cat.png"]],
  ])("%j", (query, expected) => expect(names(query)).toEqual(expected));

  it("toggles a tag's wish in the query", () => {
    const once = toggledTag("cat", "red hair", false);
    expect(once).toBe('cat tag:"red hair"');
    expect(toggledTag(once, "red hair", false)).toBe("cat");
    expect(toggledTag(once, "red hair", true)).toBe('cat -tag:"red hair"');
  });

  it("takes any text", () => {
    fc.assert(
      fc.property(fc.string(), (query) => {
        expect(images).toEqual(expect.arrayContaining([...search(images, query)]));
      }),
    );
  });
});

describe("diff", () => {
  it("gives both captions back", () => {
    const caption = fc.oneof(
      tags.map(joinTags),
      fc.array(fc.constantFrom("a", "cat", "on", "the"), { maxLength: 9 }).map((w) => w.join(" ")),
    );
    fc.assert(
      fc.property(caption, caption, (before, after) => {
        const parts = diffCaptions(before, after);
        const text = (without: string) =>
          parts
            .flatMap(({ kind, text: piece }) =>
              kind === without ? [] : piece.split(/[\s,]+/).filter(Boolean),
            )
            .join(" ");
        const plain = (one: string) =>
          one
            .split(/[\s,]+/)
            .filter(Boolean)
            .join(" ");
        expect(text("added")).toBe(plain(before));
        expect(text("removed")).toBe(plain(after));
      }),
    );
  });

  it("names what changed", () => {
    expect(diffCaptions("1girl, red hair, sky", "1girl, blue hair, sky")).toEqual([
      { kind: "same", text: "1girl" },
      { kind: "removed", text: "red hair" },
      { kind: "added", text: "blue hair" },
      { kind: "same", text: "sky" },
    ]);
  });
});
