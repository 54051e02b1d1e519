/** Pictures that are enlarged to be trained: what was never there cannot be learned. */
import { assignBucket, bucketsFor, bucketSizes } from "../buckets";
import { pictures, removal, type Check } from "./types";

/** Enlarged by less, softness does not show. */
const tolerated = 1.25;
/** Enlarged by more, a picture is mush. */
const ruinous = 2;

export const tooSmall: Check = ({ patients, resolution }) => {
  const settings = bucketsFor(resolution);
  const sizes = bucketSizes(settings);
  const small = patients
    .map(({ id, width, height }) => {
      const { resized } = assignBucket([width, height], settings, sizes);
      return { id, width, height, scale: Math.max(resized[0] / width, resized[1] / height) };
    })
    .filter(({ scale }) => scale > tolerated)
    .sort((a, b) => b.scale - a.scale);
  const [worst] = small;
  if (!worst) return undefined;
  return {
    kind: "too-small",
    severity: worst.scale >= ruinous ? "problem" : "warning",
    title: `${pictures(small.length, "is", "are")} too small for ${resolution} px`,
    why: `Enlarged up to ${worst.scale.toFixed(1)}×, a picture has no detail left to teach, and the LoRA learns its softness as part of the look. A lower resolution suits small pictures better.`,
    pictures: small.map(({ id, width, height, scale }) => ({
      id,
      detail: `${width} × ${height}, enlarged ${scale.toFixed(1)}×`,
    })),
    fix: { label: "Leave them out", treatments: removal(small.map(({ id }) => id)) },
  };
};
