import { describe, expect, it } from "vitest";
import { contentSecurityPolicy, headersFile, headersFor, metaContentSecurityPolicy } from "./headers";

describe("headers", () => {
  it("allow scripts, workers and styles of this origin only", () => {
    const policy = contentSecurityPolicy();
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).toContain("worker-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).not.toMatch(/'unsafe-inline'|'unsafe-eval'|http:|\*;/);
  });

  it("give a nonce to the dev server's styles and nowhere else", () => {
    expect(contentSecurityPolicy("abc")).toContain("style-src 'self' 'nonce-abc';");
    expect(headersFile()).not.toContain("nonce");
  });

  it("keep what a meta tag cannot say out of it", () => {
    expect(metaContentSecurityPolicy()).not.toContain("frame-ancestors");
    expect(metaContentSecurityPolicy()).toContain("default-src 'none'");
  });

  it("cache files with a hash in their name for good, the page never", () => {
    expect(headersFor("/assets/index-abc.js")["Cache-Control"]).toContain("immutable");
    expect(headersFor("/")["Cache-Control"]).toBe("no-cache");
    expect(headersFor("/models/mini.safetensors")).not.toHaveProperty("Cache-Control");
  });

  it("are the same in the file for static hosts, within its limits", () => {
    const lines = headersFile().split("\n");
    for (const [name, value] of Object.entries(headersFor("/")))
      expect(lines).toContain(`  ${name}: ${value}`);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(2000);
  });
});
