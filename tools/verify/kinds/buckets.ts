/** `buckets`: bucket lists, assignments, crops. */
import { assignBucket, bucketSizes } from "../../../src/dataset/buckets";
import type { BucketSettings, Size } from "../../../src/dataset/buckets";
import { cropOffset, conditioningCrop } from "../../../src/dataset/crop";
import { Checks } from "../compare";
import type { VerifyKind } from "../types";

interface GoldenSettings {
  resolution: Size;
  min_bucket_reso: number;
  max_bucket_reso: number;
  bucket_reso_steps: number;
  bucket_no_upscale: boolean;
  buckets: Size[] | null;
  assignments: GoldenAssignment[];
}

interface GoldenAssignment {
  size: Size;
  bucket: Size;
  resized: Size;
  crop_xy: Size;
  ar_error: number;
  crop_ltrb: number[];
}

/** Sizes are whole numbers and must be equal; ratios and boxes are given to nine digits. */
const LIMIT = { rel: 1e-8, abs: 1e-8 };

function checkAssignment(golden: GoldenAssignment, settings: BucketSettings, checks: Checks): void {
  const what = `${golden.size.join("x")} at ${settings.resolution.join("x")}`;
  const { bucket, resized, aspectError } = assignBucket(golden.size, settings);
  checks.equal(`bucket of ${what}`, bucket, golden.bucket);
  checks.equal(`resized ${what}`, resized, golden.resized);
  checks.equal(`crop of ${what}`, cropOffset(resized, bucket), golden.crop_xy);
  checks.close(`ratio error of ${what}`, [aspectError], [golden.ar_error], LIMIT);
  checks.close(`crop box of ${what}`, conditioningCrop(golden.size, bucket), golden.crop_ltrb, LIMIT);
}

export const kind: VerifyKind = {
  name: "buckets",
  async run(c) {
    const { settings: all } = c.case as unknown as { settings: GoldenSettings[] };
    const checks = new Checks();
    for (const golden of all) {
      const settings: BucketSettings = {
        resolution: golden.resolution,
        minSize: golden.min_bucket_reso,
        maxSize: golden.max_bucket_reso,
        step: golden.bucket_reso_steps,
        noUpscale: golden.bucket_no_upscale,
      };
      if (golden.buckets)
        checks.equal(`list of ${golden.resolution.join("x")}`, bucketSizes(settings), golden.buckets);
      for (const assignment of golden.assignments) checkAssignment(assignment, settings, checks);
    }
    return checks.outcome();
  },
};
