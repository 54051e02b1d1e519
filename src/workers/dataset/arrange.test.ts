import { expect, test } from "vitest";
import { arrange, readCaption, readFolderName } from "./arrange";

function named(...paths: string[]): { path: string; file: Blob }[] {
  return paths.map((path) => ({ path, file: new Blob(["x"]) }));
}

test("captions find their pictures, in any folder, by name", () => {
  const { pictures, refused } = arrange(named("a/cat.png", "a/cat.txt", "b/cat.png", "dog.v2.jpg", "dog.v2.caption"));
  expect(pictures.map(({ path, captionFile }) => [path, captionFile !== undefined])).toEqual([
    ["a/cat.png", true],
    ["b/cat.png", false],
    ["dog.v2.jpg", true],
  ]);
  expect(refused).toEqual([]);
});

test("a caption alone is told, litter is not", () => {
  const { pictures, refused } = arrange(named("lost.txt", ".DS_Store", "__MACOSX/cat.png", "x/Thumbs.db", "cat_sd.npz"));
  expect(pictures).toEqual([]);
  expect(refused.map(({ path, error }) => [path, error.code])).toEqual([["lost.txt", "no-picture"]]);
});

test("Kohya's folders give repeats and class tokens", () => {
  expect(readFolderName("img/10_ink style/a.png")).toEqual({ repeats: 10, caption: "ink style" });
  expect(readFolderName("2024_holiday.png")).toEqual({ repeats: 1, caption: "" });
  expect(readFolderName("0_none/a.png")).toEqual({ repeats: 1, caption: "" });
});

test("a caption is its file's first line, cleaned", async () => {
  expect(await readCaption(new Blob(["\uFEFFa cat,\u0000 red \r\nsecond"]))).toEqual({ caption: "a cat,  red", cut: true });
  expect(await readCaption(new Blob(["<img onerror=x>"]))).toEqual({ caption: "<img onerror=x>", cut: false });
  expect(await readCaption(new Blob([" \n"]))).toEqual({ caption: "", cut: false });
});
