import { expect, it } from "vitest";
import { ownScript } from "./trustedTypes";

it("lets scripts of this origin start", () => {
  expect(ownScript("/assets/worker-1.js", "https://weft.test")).toBe("/assets/worker-1.js");
  expect(ownScript("https://weft.test/a.js", "https://weft.test")).toBe("https://weft.test/a.js");
});

it.each([
  "https://elsewhere.test/a.js",
  "//elsewhere.test/a.js",
  "data:text/javascript,1",
  "blob:https://x/1",
])("refuses %s", (url) => expect(ownScript(url, "https://weft.test")).toBeNull());
