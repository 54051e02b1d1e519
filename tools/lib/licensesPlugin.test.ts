import path from "node:path";
import { expect, it } from "vitest";
import { licensesText, packageFolder } from "./licensesPlugin";
import { root } from "./process";

it.each([
  ["/weft/node_modules/svelte/src/index.js", "/weft/node_modules/svelte"],
  ["/weft/node_modules/@zip.js/zip.js/lib/a.js", "/weft/node_modules/@zip.js/zip.js"],
  ["/weft/node_modules/bits-ui/node_modules/runed/x.js", "/weft/node_modules/bits-ui/node_modules/runed"],
  ["\0/weft/node_modules/comlink/dist/a.mjs?commonjs", "/weft/node_modules/comlink"],
  ["/weft/src/main.ts", undefined],
])("finds the package of %s", (id, folder) => expect(packageFolder(id)).toBe(folder));

it("quotes each package's own licence once", () => {
  const folder = path.join(root, "node_modules/comlink");
  const text = licensesText([folder, folder]);
  expect(text.match(/^## comlink /gm)).toHaveLength(1);
  expect(text).toContain("Apache License");
});
