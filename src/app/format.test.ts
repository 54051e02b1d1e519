import { expect, test } from "vitest";
import { formatBytes, formatDuration, formatNumber, formatRate, plural } from "./format";

test("bytes, durations and rates read like words", () => {
  expect(formatBytes(42_141_974)).toBe("40.2 MB");
  expect(formatBytes(512)).toBe("512 bytes");
  expect(formatDuration(544)).toBe("9 min");
  expect(formatDuration(7800)).toBe("2 h 10 min");
  expect(formatNumber(0.083_214)).toBe("0.0832");
  expect(formatRate(1.25, 1)).toBe("0.8 images/s");
  expect(plural(1, "picture")).toBe("1 picture");
});
