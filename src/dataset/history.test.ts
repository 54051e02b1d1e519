import fc from "fast-check";
import { expect, test } from "vitest";
import {
  canRedo,
  canUndo,
  emptyHistory,
  record,
  restoreHistory,
  stepBack,
  stepForward,
  withoutPictures,
  type History,
  type HistoryEntry,
} from "./history";
import { difference, withValues, type ImageRecord, type ImageValues } from "./record";

function image(id: string, caption: string): ImageRecord {
  const facts = { id, name: `${id}.png`, width: 1, height: 1, bytes: 1, repeats: 1, notes: [], order: 0 };
  return { ...facts, caption, captionSource: "none" };
}

type Images = Record<string, ImageRecord>;

/** A dataset as simple as can be: what the app does with a history, without the app. */
class Model {
  images: Images = { a: image("a", "0"), b: image("b", "0"), c: image("c", "0") };
  history: History = emptyHistory;

  edit(ids: readonly string[], caption: string, merge: string, at: number): void {
    const changes = ids.flatMap((id) => {
      const one = this.images[id];
      const changed = one && difference(one, { id, caption });
      return changed ? [{ id, ...changed }] : [];
    });
    if (changes.length === 0) return;
    this.history = record(this.history, { at, label: caption, changes, merge });
    this.#apply(changes.map(({ id, after }) => ({ id, values: after })));
  }

  undo(): void {
    const entry = canUndo(this.history);
    this.history = stepBack(this.history);
    this.#apply((entry?.changes ?? []).map(({ id, before }) => ({ id, values: before })));
  }

  redo(): void {
    const entry = canRedo(this.history);
    this.history = stepForward(this.history);
    this.#apply((entry?.changes ?? []).map(({ id, after }) => ({ id, values: after })));
  }

  captions(): string[] {
    return Object.values(this.images).map(({ caption }) => caption);
  }

  #apply(values: { id: string; values: ImageValues }[]): void {
    for (const { id, values: some } of values) {
      const one = this.images[id];
      if (one) this.images = { ...this.images, [id]: withValues(one, some) };
    }
  }
}

const edits = fc.array(
  fc.record({
    ids: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
    caption: fc.string({ maxLength: 4 }),
    merge: fc.constantFrom("", "", "x", "y"),
    pause: fc.constantFrom(10, 10_000),
  }),
  { minLength: 1, maxLength: 30 },
);

test("undoing everything gives the beginning, redoing everything the end", () => {
  fc.assert(
    fc.property(edits, (list) => {
      const model = new Model();
      const first = model.captions();
      let at = 0;
      for (const { ids, caption, merge, pause } of list) model.edit(ids, caption, merge, (at += pause));
      const last = model.captions();
      while (canUndo(model.history)) model.undo();
      expect(model.captions()).toEqual(first);
      while (canRedo(model.history)) model.redo();
      expect(model.captions()).toEqual(last);
    }),
  );
});

test("every step back is a state that was there before", () => {
  fc.assert(
    fc.property(edits, (list) => {
      const model = new Model();
      const seen = [model.captions()];
      let at = 0;
      for (const { ids, caption, merge, pause } of list) {
        model.edit(ids, caption, merge, (at += pause));
        seen.push(model.captions());
      }
      while (canUndo(model.history)) {
        model.undo();
        expect(seen).toContainEqual(model.captions());
      }
    }),
  );
});

test("a new edit after an undo forgets what could be redone, and is not merged into what is before", () => {
  const model = new Model();
  model.edit(["a"], "one", "k", 1);
  model.edit(["a"], "two", "", 2);
  model.undo();
  model.edit(["a"], "three", "k", 3);
  expect(canRedo(model.history)).toBeUndefined();
  model.undo();
  expect(model.captions()[0]).toBe("one");
});

test("letters typed become one step, a pause begins another", () => {
  const model = new Model();
  model.edit(["a"], "c", "a caption", 0);
  model.edit(["a"], "ca", "a caption", 200);
  model.edit(["a"], "cat", "a caption", 400);
  model.edit(["a"], "cats", "a caption", 60_000);
  expect(model.history.entries).toHaveLength(2);
  model.undo();
  expect(model.captions()[0]).toBe("cat");
  model.undo();
  expect(model.captions()[0]).toBe("0");
});

function entry(seq: number, changes: number): HistoryEntry {
  const list = Array.from({ length: changes }, (_, id) => ({ id: `${id}`, before: {}, after: {} }));
  return { seq, at: seq * 1e6, label: `${seq}`, changes: list, merge: "" };
}

test("it is bounded by entries and by changed pictures, and always keeps the newest", () => {
  let history = emptyHistory;
  for (let i = 0; i < 400; i++) history = record(history, entry(0, 1));
  expect(history.entries.length).toBe(300);
  expect(history.entries.at(-1)?.seq).toBe(400);
  for (let i = 0; i < 7; i++) history = record(history, entry(0, 10_000));
  expect(history.entries.length).toBe(6);
  history = record(history, entry(0, 100_000));
  expect(history.entries.length).toBe(1);
  expect(history.done).toBe(1);
});

test("it comes back from storage as it was, up to a damaged entry", () => {
  const entries = [1, 2, 3, 4].map((seq) => entry(seq, 2));
  expect(restoreHistory(entries, 3)).toEqual({ entries, done: 3 });
  expect(restoreHistory([entries[0], { seq: "no" }, entries[2], entries[3]], 4)).toEqual({
    entries: entries.slice(2),
    done: 2,
  });
  expect(restoreHistory(["garbage", null], "x")).toEqual(emptyHistory);
});

test("pictures gone for good leave the history, and entries about nothing else with them", () => {
  const entries = [entry(1, 1), entry(2, 3)];
  const history = withoutPictures({ entries, done: 2 }, new Set(["0"]));
  expect(history.entries.map(({ seq, changes }) => [seq, changes.length])).toEqual([[2, 2]]);
  expect(history.done).toBe(1);
});

test("a value that makes no sense leaves the record as it was", () => {
  const before = image("a", "cat");
  expect(withValues(before, { repeats: 0 }).repeats).toBe(1);
  expect(withValues(before, { removedAt: 5 }).removedAt).toBe(5);
  expect(
    withValues(withValues(before, { removedAt: 5 }), { removedAt: undefined }).removedAt,
  ).toBeUndefined();
  expect(difference(before, { id: "a", caption: "cat", repeats: 1 })).toBeUndefined();
});
