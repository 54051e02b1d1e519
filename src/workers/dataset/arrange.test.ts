import { expect, test } from "vitest";
import { arrange } from "./arrange";

test("pictures keep their bytes, their captions' bytes and their folder's name", () => {
  const files = ["10_ink style /cat.png", "10_ink style /cat.txt", "lost.txt"].map((path) => ({
    path,
    file: new Blob([path]),
  }));
  const { pictures, refused } = arrange(files);
  const [cat, caption] = files;
  expect(pictures).toEqual([{ ...cat, captionFile: caption?.file, repeats: 10, folderCaption: "ink style" }]);
  expect(refused.map(({ path }) => path)).toEqual(["lost.txt"]);
});
