/** Random access to a file on disk, for the Node commands. */
import { open } from "node:fs/promises";
import path from "node:path";
import { whole, type ByteSource } from "../../src/formats/safetensors/source";

export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

/** Opens `file` for ranged reads. The caller closes it. */
export async function openFileSource(file: string): Promise<FileSource> {
  const handle = await open(file, "r");
  const { size } = await handle.stat();
  const name = path.basename(file);
  return {
    name,
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      return whole(bytesRead === length ? bytes : bytes.slice(0, bytesRead), length, name);
    },
    close: () => handle.close(),
  };
}
