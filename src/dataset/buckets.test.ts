import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignBucket, bucketSizes, defaultBucketSettings } from "./buckets";
import type { BucketSettings, Size } from "./buckets";
import { cropOffset, conditioningCrop } from "./crop";

const square = (side: number, more: Partial<BucketSettings> = {}): BucketSettings => ({
  ...defaultBucketSettings,
  resolution: [side, side],
  ...more,
});

const text = ([w, h]: Size) => `${w}x${h}`;

it("lists sd-scripts' buckets for 512 × 512", () => {
  expect(bucketSizes(square(512)).map(text).join(" ")).toBe(
    "256x832 256x896 256x960 256x1024 320x704 320x768 384x640 448x576 512x512 576x448 640x384 704x320 768x320 " +
      "832x256 896x256 960x256 1024x256",
  );
});

// sd-scripts' own results: bucket, resized, crop offset.
describe.each<[string, BucketSettings, [Size, string, string, Size][]]>([
  [
    "with upscaling",
    square(512),
    [
      [[768, 512], "640x384", "640x427", [0, 21]],
      [[1000, 683], "576x448", "656x448", [40, 0]],
      [[683, 1000], "384x640", "437x640", [26, 0]],
      [[256, 256], "512x512", "512x512", [0, 0]],
      [[4000, 250], "1024x256", "4096x256", [1536, 0]],
      [[513, 511], "512x512", "514x512", [1, 0]],
    ],
  ],
  [
    "without upscaling",
    square(512, { noUpscale: true }),
    [
      [[768, 512], "576x384", "576x384", [0, 0]],
      [[640, 480], "512x384", "512x384", [0, 0]],
      [[200, 600], "192x576", "200x600", [4, 12]],
      [[4000, 250], "2048x128", "2048x128", [0, 0]],
      [[1080, 1350], "384x512", "410x512", [13, 0]],
    ],
  ],
])("%s", (_, settings, rows) => {
  it.each(rows)("%s goes to %s", (size, bucket, resized, crop) => {
    const assignment = assignBucket(size, settings);
    expect([text(assignment.bucket), text(assignment.resized)]).toEqual([bucket, resized]);
    expect(cropOffset(assignment.resized, assignment.bucket)).toEqual(crop);
  });
});

it("always covers the bucket and keeps to the area", () => {
  const side = fc.integer({ min: 64, max: 6000 });
  const settings = square(768);
  const sizes = bucketSizes(settings);
  fc.assert(
    fc.property(side, side, (width, height) => {
      const { bucket, resized } = assignBucket([width, height], settings, sizes);
      expect(resized[0] >= bucket[0] && resized[1] >= bucket[1]).toBe(true);
      expect(resized[0] === bucket[0] || resized[1] === bucket[1]).toBe(true);
      expect(bucket[0] * bucket[1]).toBeLessThanOrEqual(768 * 768);
    }),
  );
});

it("refuses what cannot be, with what to do", () => {
  expect(() => bucketSizes(square(128))).toThrow(/128 × 128/);
  expect(() => assignBucket([40, 300], square(512, { noUpscale: true }))).toThrow(/40 × 300/);
});

it("tells SDXL where the picture sits in its bucket", () => {
  expect(conditioningCrop([1920, 1080], [1344, 768])).toEqual([0, 6, 1344, 762]);
  expect(conditioningCrop([3024, 4032], [896, 1152])).toEqual([16, 0, 880, 1152]);
});
