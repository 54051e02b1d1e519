/** Pictures whose shape no bucket has: much of them is cut off. */
import { assignBucket, bucketsFor, bucketSizes } from "../buckets";
import { cropShares } from "../crop";
import { pictures, removal, type Check } from "./types";

/** Kept share of the area below which it is worth a look. */
const enough = 0.75;

export const extremeAspect: Check = ({ patients, resolution }) => {
  const settings = bucketsFor(resolution);
  const sizes = bucketSizes(settings);
  const found = patients
    .map(({ id, width, height }) => {
      const { bucket, resized } = assignBucket([width, height], settings, sizes);
      const { width: across, height: down } = cropShares(resized, bucket);
      return { id, width, height, kept: across * down };
    })
    .filter(({ kept }) => kept < enough)
    .sort((a, b) => a.kept - b.kept);
  const [worst] = found;
  if (!worst) return undefined;
  const lost = Math.round(100 * (1 - worst.kept));
  return {
    kind: "extreme-aspect",
    severity: worst.kept < 0.5 ? "problem" : "warning",
    title: pictures(found.length, "loses over a quarter to its crop", "lose over a quarter to their crops"),
    why: `The nearest training size has another shape, so up to ${lost} % of such a picture is cut off, from both ends alike. Open it and move its crop to what matters, or cut it into several pictures.`,
    pictures: found.map(({ id, width, height, kept }) => ({
      id,
      detail: `${width} × ${height}, ${Math.round(100 * (1 - kept))} % cut off`,
    })),
    fix: { label: "Leave them out", treatments: removal(found.map(({ id }) => id)) },
  };
};
