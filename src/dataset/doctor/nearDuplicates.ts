/** Pictures that show the same: copies, other sizes of one file, shots of one burst. */
import { colourDistance, hashDistance } from "../imageLook";
import { removal, type Check, type Patient } from "./types";

/** Bits of 64 in which copies may differ. */
const maxBits = 6;
/** Mean difference of colours, 0…255. */
const maxColours = 20;
/** Then the doctor stops looking: thousands of blank pictures would all be compared with one another. */
const maxComparisons = 2_000_000;
/** Pairs shown; a folder of a thousand copies has half a million. */
const maxPairs = 500;

interface Seen extends Patient {
  look: NonNullable<Patient["look"]>;
}

/**
 * Candidates by pigeonhole: hashes that differ in at most 6 bits agree in at least one of seven pieces. With pieces of 9 or 10
 * bits 10 000 pictures need a few comparisons each instead of 10 000.
 */
function* candidates(seen: readonly Seen[]): Generator<[Seen, Seen]> {
  const pieces = maxBits + 1;
  const told = new Set<string>();
  let comparisons = 0;
  for (let piece = 0; piece < pieces; piece++) {
    const groups = new Map<string, Seen[]>();
    for (const patient of seen) {
      const key = pieceOf(patient.look.hash, piece, pieces);
      const group = groups.get(key);
      if (!group) groups.set(key, [patient]);
      else {
        for (const other of group) {
          if (++comparisons > maxComparisons) return;
          const pair = `${other.id} ${patient.id}`;
          if (told.has(pair) || hashDistance(other.look.hash, patient.look.hash) > maxBits) continue;
          told.add(pair);
          yield [other, patient];
        }
        group.push(patient);
      }
    }
  }
}

function pieceOf(hash: string, piece: number, pieces: number): string {
  const bits = BigInt(`0x${hash || "0"}`);
  const from = BigInt(Math.floor((64 * piece) / pieces));
  const to = BigInt(Math.floor((64 * (piece + 1)) / pieces));
  return ((bits >> from) & ((1n << (to - from)) - 1n)).toString(36);
}

/** More pixels, then less blur, then the earlier one. */
function better(a: Seen, b: Seen): Seen {
  const pixels = a.width * a.height - b.width * b.height;
  if (pixels !== 0) return pixels > 0 ? a : b;
  return a.look.blur <= b.look.blur ? a : b;
}

export const nearDuplicates: Check = ({ patients }) => {
  const seen = patients.filter((patient): patient is Seen => patient.look !== undefined);
  const pairs: [Seen, Seen][] = [];
  for (const pair of candidates(seen)) {
    if (colourDistance(pair[0].look.colours, pair[1].look.colours) > maxColours) continue;
    pairs.push(pair);
    if (pairs.length >= maxPairs) break;
  }
  if (pairs.length === 0) return undefined;
  const surplus = surplusOf(pairs);
  return {
    kind: "near-duplicates",
    severity: "warning",
    title:
      pairs.length === 1 ? "2 pictures are nearly the same" : `${pairs.length} pairs are nearly the same`,
    why: "What is seen twice counts twice: the LoRA leans towards these pictures and repeats them. If that is wanted, raise the repeats instead, where it can be seen.",
    pictures: surplus.map(({ id }) => ({ id, detail: "has a better twin" })),
    pairs: pairs.map(([a, b]) => [a.id, b.id]),
    fix: { label: "Keep the better of each", treatments: removal(surplus.map(({ id }) => id)) },
  };
};

/** Of every group of alike pictures all but the best one: never both of a pair. */
function surplusOf(pairs: readonly [Seen, Seen][]): Seen[] {
  const best = new Map<string, Seen>();
  const find = (patient: Seen): Seen => {
    const parent = best.get(patient.id);
    return parent && parent.id !== patient.id ? find(parent) : patient;
  };
  for (const [a, b] of pairs) {
    const [x, y] = [find(a), find(b)];
    if (x.id === y.id) continue;
    const kept = better(x, y);
    best.set((kept === x ? y : x).id, kept);
  }
  const all = new Map(pairs.flat().map((patient) => [patient.id, patient]));
  return [...all.values()].filter((patient) => find(patient).id !== patient.id);
}
