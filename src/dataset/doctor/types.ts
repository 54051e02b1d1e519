/** What the doctor looks at and what it says: plain data and pure functions. */
import type { ImageLook } from "../imageLook";

/** A picture as the doctor sees it. */
export interface Patient {
  id: string;
  name: string;
  width: number;
  height: number;
  repeats: number;
  caption: string;
  look?: ImageLook | undefined;
}

/** Everything a check may look at. */
export interface Examination {
  patients: readonly Patient[];
  /** Pixels of the square whose area the buckets share. */
  resolution: number;
  trigger: string;
  preset: "style" | "character" | "concept";
  /** By the tokenizer that the text encoder reads with. */
  countTokens: (text: string) => number;
}

/** `problem`: the LoRA will suffer. `warning`: it may. `hint`: good to know. */
export type Severity = "problem" | "warning" | "hint";

/** What a fix does to one picture. */
export interface Treatment {
  id: string;
  caption?: string;
  repeats?: number;
  /** Out of the dataset; undo brings it back. */
  remove?: true;
}

export interface Finding {
  kind: string;
  severity: Severity;
  /** What, with its count: "3 pictures are blurred". */
  title: string;
  /** Why it matters and what it means here. */
  why: string;
  /** The pictures concerned, worst first, with a few words about each. */
  pictures: { id: string; detail: string }[];
  /** Pictures that belong together: near duplicates. */
  pairs?: [string, string][];
  /** The one-click fix. */
  fix?: { label: string; treatments: Treatment[] };
  /** Where no click can fix it: what the person can do, as the app knows it. */
  action?: "add-pictures" | "caption" | "set-trigger";
}

/** One kind of finding. */
export type Check = (examination: Examination) => Finding | undefined;

/** "1 picture is", "3 pictures are". */
export function pictures(count: number, one: string, many: string): string {
  return count === 1 ? `1 picture ${one}` : `${count} pictures ${many}`;
}

export function removal(ids: readonly string[]): Treatment[] {
  return ids.map((id) => ({ id, remove: true }));
}
