/** Pictures that lost their detail before they came here: blurred ones, and JPEGs saved once too often. */
import { pictures, removal, type Check, type Patient } from "./types";

/** Crété's blur metric of a picture shrunk to 512 px; sharp photographs are below 0.4. */
const blurred = 0.62;
/** Saved at a lower setting than this, of 100, a JPEG shows its blocks. */
const poorQuality = 40;
/** Steps at block borders ÷ steps elsewhere: 1 in clean pictures, 2 in smooth ones saved as usual. */
const blocky = 2.8;

export const blurry: Check = ({ patients }) => {
  const found = worstFirst(patients, ({ look }) => look?.blur ?? 0).filter(({ value }) => value > blurred);
  if (found.length === 0) return undefined;
  return {
    kind: "blurry",
    severity: "warning",
    title: pictures(found.length, "is blurred", "are blurred"),
    why: "The LoRA cannot tell a soft picture from a soft style: results come out soft. Keep a blurred one only when blur is what you want to teach.",
    pictures: found.map(({ id, value }) => ({ id, detail: `blur ${Math.round(100 * value)} of 100` })),
    fix: { label: "Leave them out", treatments: removal(found.map(({ id }) => id)) },
  };
};

export const jpegRuined: Check = ({ patients, resolution }) => {
  // Shrunk to half or less, the blocks average out.
  const full = patients
    .filter(({ width, height }) => Math.min(width, height) < 2 * resolution)
    .filter(isLossy);
  const found = full
    .flatMap(({ id, look }) => {
      const quality = look?.quality ?? 100;
      const blocks = look?.blockiness ?? 1;
      // Saved again at a good setting, a poor JPEG keeps its blocks.
      if (quality >= poorQuality && blocks <= blocky) return [];
      const detail =
        quality < poorQuality
          ? `saved at quality ${quality} of 100`
          : `blocks ${blocks.toFixed(1)}× as strong as elsewhere`;
      return [{ id, detail, value: blocks + (100 - quality) / 100 }];
    })
    .sort((a, b) => b.value - a.value);
  if (found.length === 0) return undefined;
  return {
    kind: "jpeg-ruined",
    severity: "warning",
    title: pictures(found.length, "was saved too small as JPEG", "were saved too small as JPEG"),
    why: "The little squares that strong compression leaves are a pattern like any other, and the LoRA learns to draw them. Look for the original file.",
    pictures: found.map(({ id, detail }) => ({ id, detail })),
    fix: { label: "Leave them out", treatments: removal(found.map(({ id }) => id)) },
  };
};

/** Pixel art saved without loss may have steps at the same places, and means them. */
function isLossy({ name }: Patient): boolean {
  return /\.(jpe?g|jfif|webp)$/i.test(name);
}

function worstFirst(
  patients: readonly Patient[],
  measure: (patient: Patient) => number,
): { id: string; value: number }[] {
  return patients
    .map((patient) => ({ id: patient.id, value: measure(patient) }))
    .sort((a, b) => b.value - a.value);
}
