import { describe, expect, it } from "vitest";
import { Checks, compare } from "./compare";

const limits = { rel: 1e-3, abs: 1e-6 };

describe("compare", () => {
  it("gives the relative L2 error", () => {
    const result = compare([3, 4.05], [3, 4], limits);
    expect(result.rel).toBeCloseTo(0.01, 12);
    expect(result.pass).toBe(false);
  });

  it("passes by either limit", () => {
    expect(compare([1000.5], [1000], limits).pass).toBe(true);
    expect(compare([9e-7], [0], limits).pass).toBe(true);
    expect(compare([2e-6], [0], limits).pass).toBe(false);
  });

  it.each([[[NaN]], [[Infinity]], [[1, 2]], [[]]])("fails on %s", (actual) => {
    expect(compare(actual, [1], { rel: 10, abs: 10 }).pass).toBe(false);
  });

  it("fails when the reference is not finite either", () => {
    expect(compare([NaN], [NaN], limits).pass).toBe(false);
    expect(compare([Infinity], [Infinity], limits).pass).toBe(false);
  });
});

describe("Checks", () => {
  it("fails when nothing was compared", () => {
    expect(new Checks().outcome().status).toBe("failed");
  });

  it("reports the largest error and the failing name", () => {
    const checks = new Checks();
    checks.close("good", [1.0001], [1], limits);
    checks.close("bad", [2], [1], limits);
    const outcome = checks.outcome();
    expect(outcome).toMatchObject({ status: "failed", error: 1 });
    expect(outcome.detail).toContain("bad");
    expect(outcome.detail).not.toContain("good");
  });

  it("compares plain values", () => {
    const checks = new Checks();
    checks.equal("list", [1, "a"], [1, "a"]);
    expect(checks.outcome().status).toBe("passed");
    checks.equal("list", [1], [2]);
    expect(checks.outcome().status).toBe("failed");
  });
});
