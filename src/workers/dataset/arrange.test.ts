import { expect, test } from "vitest";
import { arrange } from "./arrange";

function named(...paths: string[]): { path: string; file: Blob }[] {
  return paths.map((path) => ({ path, file: new Blob(["x"]) }));
}

test("captions find their pictures, in any folder, by name", () => {
  const { pictures, refused } = arrange(
    named("a/cat.png", "a/cat.txt", "b/cat.png", "dog.v2.jpg", "dog.v2.caption"),
  );
  expect(pictures.map(({ path, captionFile }) => [path, captionFile !== undefined])).toEqual([
    ["a/cat.png", true],
    ["b/cat.png", false],
    ["dog.v2.jpg", true],
  ]);
  expect(refused).toEqual([]);
});

test("a caption alone is told, litter is not", () => {
  const { pictures, refused } = arrange(
    named("lost.txt", ".DS_Store", "__MACOSX/cat.png", "x/Thumbs.db", "cat_sd.npz"),
  );
  expect(pictures).toEqual([]);
  expect(refused.map(({ path, error }) => [path, error.code])).toEqual([["lost.txt", "no-picture"]]);
});

test("Kohya's folders give repeats and class tokens; a year in front is no repeat count", () => {
  const { pictures } = arrange(named("img/10_ink style/a.png", "99999_x/b.png", "holiday/c.png"));
  expect(pictures.map(({ repeats, folderCaption }) => [repeats, folderCaption])).toEqual([
    [10, "ink style"],
    [1, ""],
    [1, ""],
  ]);
});
