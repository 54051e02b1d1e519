/**
 * Finds the files of a drop that a metadata file or a dataset config means. The paths written there are of someone's disk, so
 * only their ends are compared: the file that shares the most folders is meant.
 */

function segments(path: string): string[] {
  return path
    .replaceAll("\\", "/")
    .split("/")
    .filter((part) => part && part !== "." && part !== "..")
    .map((part) => part.normalize("NFC"));
}

function sharedEnd(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < Math.min(a.length, b.length) && a.at(-1 - count) === b.at(-1 - count)) count++;
  return count;
}

function withoutEnding(name: string): string {
  return name.replace(/\.[^.]*$/, "");
}

/** More files of one name than a person has; a made-up drop could otherwise cost hours of comparing. */
const maxNamesakes = 256;

export class PathIndex {
  /** By last segment, with and without its ending: kohya's older metadata leaves endings out. */
  readonly #byName = new Map<string, { path: string; parts: string[] }[]>();

  constructor(paths: Iterable<string>) {
    for (const path of paths) {
      const parts = segments(path);
      const name = parts.at(-1) ?? "";
      this.#put(name, { path, parts });
      if (withoutEnding(name) !== name) this.#put(withoutEnding(name), { path, parts });
    }
  }

  #put(name: string, entry: { path: string; parts: string[] }): void {
    const list = this.#byName.get(name);
    if (list && list.length < maxNamesakes) list.push(entry);
    if (!list) this.#byName.set(name, [entry]);
  }

  /**
   * @param written as in the metadata; @param near the folder that the metadata file lies in, which decides between equals.
   * @returns undefined when no file has the name.
   */
  find(written: string, near: string): string | undefined {
    const wanted = segments(written);
    const name = wanted.at(-1) ?? "";
    const candidates = this.#byName.get(name) ?? this.#byName.get(withoutEnding(name)) ?? [];
    const score = ({ path, parts }: { path: string; parts: string[] }): number => {
      const exact = parts.at(-1) === name ? wanted : [...wanted.slice(0, -1), parts.at(-1) ?? ""];
      return 2 * sharedEnd(exact, parts) + (near === "" || path.startsWith(`${near}/`) ? 1 : 0);
    };
    let best: string | undefined;
    let bestScore = 0;
    for (const candidate of candidates) {
      const value = score(candidate);
      if (value > bestScore) [best, bestScore] = [candidate.path, value];
    }
    return best;
  }
}

/** The folder part of a path; empty at the top. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
