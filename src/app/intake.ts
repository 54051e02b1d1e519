/** Files as they arrive: from a picker, a drop (folders too) or the clipboard, as paths inside what was dropped. */
import { fromEvent } from "file-selector";
import type { NamedFile } from "../workers/dataset/api";

export type { NamedFile };

function pathOf(file: File & { path?: string; relativePath?: string }): string {
  const path = file.webkitRelativePath || file.relativePath || file.path || file.name;
  return path.replace(/^\.?\//, "");
}

export function fromFileList(files: Iterable<File>): NamedFile[] {
  return [...files].map((file) => ({ path: pathOf(file), file }));
}

/** Everything in a drop, folders walked. */
export async function fromDrop(event: DragEvent): Promise<NamedFile[]> {
  const found = await fromEvent(event);
  return fromFileList(found.filter((item) => item instanceof File));
}

/** Pictures on the clipboard; screenshots have no name of their own. */
export function fromPaste(event: ClipboardEvent): NamedFile[] {
  const files = [...(event.clipboardData?.files ?? [])];
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return files.map((file, index) => ({
    path: file.name === "image.png" ? `pasted ${stamp} ${index + 1}.png` : file.name,
    file,
  }));
}
