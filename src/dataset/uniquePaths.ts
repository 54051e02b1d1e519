/** Labels for files of a drop: safe to show and to write into a zip, and no two alike. */

/**
 * A path as a label. Zip entries use `\` when made on some Windows tools; `..`, drive letters and leading slashes say nothing
 * about a picture, and NUL ends names early in other programs.
 */
export function pathLabel(name: string): string {
  const parts = name.replaceAll("\0", "").replaceAll("\\", "/").split("/");
  const kept = parts.filter((part) => part && part !== "." && part !== ".." && !/^[A-Za-z]:$/.test(part));
  return kept.join("/") || "unnamed";
}

/** `a/cat.png` → `a/cat (2).png`. */
function numbered(path: string, number: number): string {
  const dot = path.lastIndexOf(".");
  const hasEnding = dot > path.lastIndexOf("/") + 1;
  return hasEnding ? `${path.slice(0, dot)} (${number})${path.slice(dot)}` : `${path} (${number})`;
}

/** Gives each path to come a name that was not given before; the second `cat.png` is `cat (2).png`, nothing is lost. */
export class UniquePaths {
  readonly #taken = new Set<string>();

  add(name: string): string {
    const path = pathLabel(name);
    let candidate = path;
    for (let number = 2; this.#taken.has(candidate); number++) candidate = numbered(path, number);
    this.#taken.add(candidate);
    return candidate;
  }
}
