/**
 * What was changed in a dataset, to be taken back and done again, across reloads. Entries hold absolute values, so
 * applying one twice does no harm. Values are immutable; every function gives a new history.
 */
import * as v from "valibot";
import type { ImageValues } from "./record";

export interface ImageChange {
  id: string;
  before: ImageValues;
  after: ImageValues;
}

/** A change of the dataset itself. */
export interface AboutChange {
  before: { trigger: string };
  after: { trigger: string };
}

export interface HistoryEntry {
  /** Grows from entry to entry. */
  seq: number;
  /** Milliseconds since 1970 of its last addition. */
  at: number;
  /** What a person would call it: `Replace "cat" in 12 captions`. */
  label: string;
  changes: readonly ImageChange[];
  about?: AboutChange | undefined;
  /** Entries of the same non-empty key that follow one another quickly become one: a sentence typed, not its letters. */
  merge: string;
}

export interface History {
  /** Oldest first. */
  entries: readonly HistoryEntry[];
  /** How many of them are in effect; those after it can be done again. */
  done: number;
}

export const emptyHistory: History = { entries: [], done: 0 };

/** A pause longer than this, in milliseconds, begins a new entry. */
const mergePause = 4000;
/** Keys with this beginning merge however long the pause: the pictures of one captioning, minutes apart. */
export const lastingMerge = "job ";
const limits = {
  entries: 300,
  /** Changed pictures over all entries. */
  changes: 60_000,
};

export const canUndo = (history: History): HistoryEntry | undefined => history.entries[history.done - 1];
export const canRedo = (history: History): HistoryEntry | undefined => history.entries[history.done];

/** Adds what was just done; what had been taken back can no longer be done again. */
export function record(history: History, entry: Omit<HistoryEntry, "seq">): History {
  const kept = history.entries.slice(0, history.done);
  const last = kept.at(-1);
  if (last && isContinued(last, entry, history)) kept[kept.length - 1] = merged(last, entry);
  else kept.push({ ...entry, seq: (history.entries.at(-1)?.seq ?? 0) + 1 });
  return bounded(kept);
}

/** A redo tail means that the last entry was stepped over: it is finished. */
function isContinued(last: HistoryEntry, entry: Omit<HistoryEntry, "seq">, history: History): boolean {
  return (
    entry.merge !== "" &&
    last.merge === entry.merge &&
    (entry.at - last.at <= mergePause || entry.merge.startsWith(lastingMerge)) &&
    history.done === history.entries.length
  );
}

function merged(last: HistoryEntry, entry: Omit<HistoryEntry, "seq">): HistoryEntry {
  const changes = new Map(last.changes.map((change) => [change.id, change]));
  for (const { id, before, after } of entry.changes) {
    const earlier = changes.get(id);
    changes.set(
      id,
      earlier
        ? { id, before: { ...before, ...earlier.before }, after: { ...earlier.after, ...after } }
        : { id, before, after },
    );
  }
  const about = entry.about && { before: (last.about ?? entry.about).before, after: entry.about.after };
  return { ...last, at: entry.at, changes: [...changes.values()], about: about ?? last.about };
}

/** The newest entries within the limits, but always the newest one. */
function bounded(entries: HistoryEntry[]): History {
  let changes = 0;
  let first = entries.length;
  while (first > 0 && entries.length - first < limits.entries) {
    changes += entries[first - 1]?.changes.length ?? 0;
    if (changes > limits.changes && first < entries.length) break;
    first--;
  }
  const kept = entries.slice(first);
  return { entries: kept, done: kept.length };
}

export function stepBack(history: History): History {
  return { ...history, done: Math.max(0, history.done - 1) };
}

export function stepForward(history: History): History {
  return { ...history, done: Math.min(history.entries.length, history.done + 1) };
}

/** Without the changes of pictures that are gone for good. */
export function withoutPictures(history: History, gone: ReadonlySet<string>): History {
  const entries: HistoryEntry[] = [];
  let { done } = history;
  for (const [index, entry] of history.entries.entries()) {
    const changes = entry.changes.filter(({ id }) => !gone.has(id));
    if (changes.length === entry.changes.length) entries.push(entry);
    else if (changes.length > 0 || entry.about) entries.push({ ...entry, changes });
    else if (index < history.done) done--;
  }
  return { entries, done };
}

/** Fields are checked again when they are put into a record. */
const valuesSchema = v.record(v.string(), v.unknown());
const aboutSchema = v.object({ trigger: v.string() });
const entrySchema = v.object({
  seq: v.pipe(v.number(), v.integer()),
  at: v.number(),
  label: v.string(),
  changes: v.array(v.object({ id: v.string(), before: valuesSchema, after: valuesSchema })),
  about: v.optional(v.object({ before: aboutSchema, after: aboutSchema })),
  merge: v.fallback(v.string(), ""),
});

/** What storage holds, put together again; a damaged entry ends the history before it. */
export function restoreHistory(stored: readonly unknown[], done: unknown): History {
  const entries: HistoryEntry[] = [];
  for (const value of stored) {
    const result = v.safeParse(entrySchema, value);
    // The values are only read through a record's schema.
    if (result.success) entries.push(result.output);
    else entries.length = 0;
  }
  entries.sort((a, b) => a.seq - b.seq);
  const last = typeof done === "number" ? done : Number.POSITIVE_INFINITY;
  return { entries, done: entries.filter(({ seq }) => seq <= last).length };
}
