/** What the page may ask of the caption worker. Types only. */
import type { CaptionerId } from "../../captioning/menu";
import type { LearnedThing } from "../../captioning/presets";
import type { CaptionResult, Preparing } from "../../captioning/types";

/** Where a captioner's files come from. Nothing is fetched but by a person's press. */
export type ModelSource =
  | { kind: "site"; folder: string }
  | { kind: "hub"; repo: string; revision: string }
  /** The address of a folder. */
  | { kind: "url"; address: string }
  /** Chosen by the person; kept in the browser under `name`. */
  | { kind: "files"; name: string; files: { path: string; file: Blob }[] }
  /** Chosen earlier. */
  | { kind: "kept"; name: string };

export interface CaptionerChoice {
  captioner: CaptionerId;
  source: ModelSource;
  /** What the captioner calls a file → its path in the source. */
  files: Readonly<Record<string, string>>;
  settings: Readonly<Record<string, unknown>>;
}

export interface CaptionJob extends CaptionerChoice {
  leaveOut: LearnedThing | "prompt";
  /** Where the interrogator takes its sentences from. */
  describer?: CaptionerChoice | undefined;
  /** Phrase lists that the person edited, by id; ours are used for the others. */
  lists: Readonly<Record<string, readonly string[]>>;
  /** Address of the page, for the files that ship with it. */
  base: string;
}

export interface Prepared {
  device: "webgpu" | "processor";
  seconds: number;
}

export interface CaptionedPicture extends CaptionResult {
  seconds: number;
}

export interface KeptModel {
  name: string;
  bytes: number;
  /** A download was interrupted; it goes on when the model is used. */
  isPartial: boolean;
}

export interface CaptionWorker {
  /** Loads the captioner of `job` (unless it is the one that is loaded). Downloads can be cancelled. */
  prepare(jobId: string, job: CaptionJob, onPreparing: (step: Preparing) => void): Promise<Prepared>;
  /** Captions one picture with what was prepared last. */
  caption(jobId: string, picture: Blob, name: string, existing: string): Promise<CaptionedPicture>;
  cancel(jobId: string): Promise<void>;
  /** Models in the browser's storage. */
  kept(): Promise<KeptModel[]>;
  forget(name: string): Promise<void>;
}
