import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { findBrowser, isSnapStub } from "./browser";

/** A folder with one executable of that name and text. */
function folderWith(name: string, text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "weft-browser-"));
  writeFileSync(path.join(folder, name), text);
  chmodSync(path.join(folder, name), 0o755);
  return folder;
}

const stub =
  '#!/bin/sh\nif ! [ -x /snap/bin/chromium ]; then echo "requires the chromium snap" >&2; exit 1; fi\n';

afterEach(() => vi.unstubAllEnvs());

it("takes the browser that CHROMIUM names, and nothing else when it is missing", () => {
  const folder = folderWith("mine", "");
  vi.stubEnv("CHROMIUM", path.join(folder, "mine"));
  expect(findBrowser()).toBe(path.join(folder, "mine"));
  vi.stubEnv("CHROMIUM", path.join(folder, "absent"));
  expect(findBrowser()).toBeUndefined();
});

it("passes over Ubuntu's link to a snap", () => {
  const snap = folderWith("chromium-browser", stub);
  const real = folderWith("google-chrome", "x".repeat(20_000));
  vi.stubEnv("CHROMIUM", "");
  vi.stubEnv("PATH", [snap, real].join(path.delimiter));
  expect(isSnapStub(path.join(snap, "chromium-browser"))).toBe(true);
  expect(findBrowser()).toBe(path.join(real, "google-chrome"));
});
