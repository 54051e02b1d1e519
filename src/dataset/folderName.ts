/** Kohya's numbered folders: `10_sks dog` holds pictures to be seen ten times per epoch, of the class "sks dog". */

export interface NumberedFolder {
  repeats: number;
  /** The caption of pictures that have none; may be empty. */
  classTokens: string;
}

/**
 * @returns undefined when the name has no number in front. `repeats` may be below 1: Kohya then skips the folder.
 */
export function readFolderName(name: string): NumberedFolder | undefined {
  const [first = "", ...rest] = name.split("_");
  if (!/^\s*[+-]?\d+\s*$/.test(first)) return undefined;
  return { repeats: Number(first), classTokens: rest.join("_") };
}
