/** SHA-256 of every file of a bundle in one pass over its bytes; the state can be kept and taken up again. */
import { createSHA256, sha256, type IHasher } from "hash-wasm";

export interface HashState {
  readonly hashed: string[];
  /** Base64. */
  readonly state: string;
}

export class BundleHash {
  readonly #hasher: IHasher;
  #hashed: string[];

  private constructor(hasher: IHasher, hashed: string[]) {
    this.#hasher = hasher;
    this.#hashed = hashed;
  }

  static async begin(saved?: HashState): Promise<BundleHash> {
    const hasher = await createSHA256();
    if (saved) hasher.load(Uint8Array.from(atob(saved.state), (c) => c.charCodeAt(0)));
    else hasher.init();
    return new BundleHash(hasher, saved ? [...saved.hashed] : []);
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  /** The present file ends here. */
  endFile(): void {
    this.#hashed.push(this.#hasher.digest("hex"));
    this.#hasher.init();
  }

  save(): HashState {
    return { hashed: [...this.#hashed], state: btoa(String.fromCharCode(...this.#hasher.save())) };
  }

  /** Of the files that ended. */
  get files(): readonly string[] {
    return this.#hashed;
  }
}

/** One hash for the whole: the file's own, or that of all files' hashes. */
export async function bundleSha256(files: readonly string[]): Promise<string> {
  const [only] = files;
  return files.length === 1 && only !== undefined ? only : sha256(files.join("\n"));
}
