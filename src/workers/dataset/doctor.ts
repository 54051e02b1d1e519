/** The doctor where it has time: beside the page, with the real tokenizer. */
import { WeftError } from "../../base/errors";
import { diagnose } from "../../dataset/doctor";
import type { Finding, Patient } from "../../dataset/doctor/types";
import { createClipTokenizer, type ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import type { DoctorQuestion } from "./api";

let patients: Patient[] = [];
let tokenizer: Promise<ClipTokenizer> | undefined;
/** Counted once: the same captions come with every examination. */
const counted = new Map<string, number>();
const maxCounted = 50_000;

export function showDoctor(some: Patient[], isFirst: boolean): void {
  patients = isFirst ? some : [...patients, ...some];
}

export async function askDoctor(question: DoctorQuestion): Promise<Finding[]> {
  tokenizer ??= loadTokenizer();
  const { countTokens } = await tokenizer.catch((error: unknown) => {
    tokenizer = undefined;
    throw error;
  });
  if (counted.size > maxCounted) counted.clear();
  return diagnose({
    ...question,
    patients,
    countTokens: (text) => {
      const known = counted.get(text);
      if (known !== undefined) return known;
      const count = countTokens(text);
      counted.set(text, count);
      return count;
    },
  });
}

async function loadTokenizer(): Promise<ClipTokenizer> {
  const url = import.meta.env.DEV
    ? "/tokenizer/clip-merges.txt"
    : new URL("../tokenizer/clip-merges.txt", self.location.href);
  const response = await fetch(url).catch(() => undefined);
  if (response?.ok) return createClipTokenizer(await response.text());
  throw new WeftError(
    "no-tokenizer",
    "The tokenizer's word list could not be loaded.",
    "Check the connection and reload the page.",
  );
}
