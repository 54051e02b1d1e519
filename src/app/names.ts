export { pathLabel } from "../dataset/uniquePaths";

/** `name`, or `name 2` and so on when it is taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number++) candidate = `${name} ${number}`;
  return candidate;
}

/** A picture's name in three: its folder with the last slash, what a person calls it, its ending with the dot. */
export function nameParts(name: string): { folder: string; stem: string; ending: string } {
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  const file = name.slice(folder.length);
  const dot = file.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [file.slice(0, dot), file.slice(dot)] : [file, ""];
  return { folder, stem, ending };
}
