import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { backportsSource, majorVersion, osRelease } from "./apt";

it("derives the backports from where the release itself comes from", () => {
  const targets = [
    "http://mirror.test/security/|bookworm-security|main",
    "http://mirror.test/debian/|bookworm|contrib",
    "http://mirror.test/debian/|bookworm|main",
  ].join("\n");
  const source = backportsSource(targets, "bookworm");
  expect(source).toMatch(/^URIs: http:\/\/mirror\.test\/debian\/$/m);
  expect(source).toMatch(/^Suites: bookworm-backports$/m);
});

it("derives nothing from sources without the release", () => {
  expect(backportsSource("", "bookworm")).toBeUndefined();
  expect(backportsSource("http://mirror.test/x|trixie|main", "bookworm")).toBeUndefined();
});

it("reads the leading number of a version behind its epoch", () => {
  expect(majorVersion("25.0.7-2~bpo12+1")).toBe(25);
  expect(majorVersion("1:22.3.6-1")).toBe(22);
});

it("reads os-release with and without quotes", () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "weft-")), "os-release");
  writeFileSync(file, 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n');
  expect(osRelease(file)).toMatchObject({ ID: "debian", VERSION_ID: "12", VERSION_CODENAME: "bookworm" });
});
