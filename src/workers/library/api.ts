/**
 * What the page may ask of the library worker: base models that are kept in this browser, and bringing new ones in.
 * Types only. It owns no GPU; the engine worker opens what lies here by name.
 */
import type { LibraryEntry } from "../../checkpoints/library";
import type { Quantisation } from "../engine/api";

export type { LibraryEntry };

/** A file of a picked folder by its path below it. */
export interface PickedFile {
  path: string;
  file: Blob;
}

export type CheckpointSource =
  | { kind: "file"; file: File }
  | { kind: "folder"; name: string; files: PickedFile[] }
  /** `choice`: path of a {@link RemoteOffer}; absent for addresses that mean one file. */
  | { kind: "remote"; reference: string; choice?: string };

export interface ImportOptions {
  storage: Quantisation | "auto";
  /** A VAE file is kept by itself and goes with any model of its kind. */
  kind: "model" | "vae";
  /** Name of a kept VAE, for checkpoints that have none. */
  vae?: string;
  /** For gated repositories; sent to the hub only and kept nowhere. */
  token?: string;
  /** Bytes of GPU memory that the person says are there; decides what "auto" means. */
  memory?: number;
}

export interface ImportProgress {
  /** `waiting`: another tab imports the same model. */
  stage: "waiting" | "reading";
  title: string;
  storage: Quantisation;
  done: number;
  total: number;
  /** Bytes that an earlier attempt had brought in. */
  resumedFrom: number;
  bytesPerSecond: number;
  /** 0 until it can be told. */
  secondsLeft: number;
}

/** Something to import from an address. */
export interface RemoteOffer {
  /** Path in the repository; "" for the diffusers folder as a whole. */
  path: string;
  bytes: number;
  files: number;
}

export interface RemoteListing {
  /** What the address means, pinned: pass it on with the choice. */
  reference: string;
  title: string;
  license: string;
  isGated: boolean;
  /** The model's page, for the licence. */
  page: string;
  offers: RemoteOffer[];
}

export interface LibraryContents {
  entries: LibraryEntry[];
  /** Of everything this site keeps, and what the browser says it may; the latter is not a promise. */
  usage: number;
  quota: number;
}

export interface LibraryWorker {
  list(): Promise<LibraryContents>;
  browse(reference: string, token: string | undefined): Promise<RemoteListing>;
  import(
    jobId: string,
    source: CheckpointSource,
    options: ImportOptions,
    onProgress: (progress: ImportProgress) => void,
  ): Promise<LibraryEntry>;
  remove(name: string): Promise<void>;
  cancel(jobId: string): Promise<void>;
}
