/**
 * A file that is written in place, and the folder it lies in. In the app this is the origin-private file system with
 * sync access handles (opfs.ts); tests bring a disk that fails, fills up or forgets.
 */
export interface RandomFile {
  size(): number;
  /** Fewer bytes than asked for at the end of the file. */
  read(at: number, length: number): Uint8Array<ArrayBuffer>;
  /** @throws WeftError `storage-full` or `storage-failed`; then part of the bytes may have been written */
  write(at: number, bytes: Uint8Array): void;
  truncate(size: number): void;
  /** Returns when everything written is on the disk. */
  flush(): void;
  close(): void;
}

export interface FileFolder {
  names(): Promise<string[]>;
  /** Opens for writing, creating it when absent; one writer at a time. */
  open(name: string): Promise<RandomFile>;
  /** A snapshot for reading; undefined when there is no such file. */
  snapshot(name: string): Promise<Blob | undefined>;
  /** Nothing happens when it is not there. */
  remove(name: string): Promise<void>;
}
