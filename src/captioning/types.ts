/** What captioners are made of, and what they may ask of their surroundings. Types only. */
import type { Pixels } from "../dataset/pixels";
import type { ClipTokenizer } from "../formats/tokenizer/clipTokenizer";
import type { LeaveOut } from "./presets";

/** Values of a tensor going into a model. */
export interface Feed {
  data: Float32Array | Int32Array | BigInt64Array;
  dims: readonly number[];
}

/** Values coming out of a model. */
export interface Output {
  data: Float32Array;
  dims: readonly number[];
}

export interface OnnxPort {
  name: string;
  /** `float32`, `int64` …, as ONNX Runtime names it. */
  type: string;
  /** A name where the size is free. */
  shape: readonly (number | string)[];
}

/** One ONNX graph, ready to run. Calls are made one after the other. */
export interface OnnxModel {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly string[];
  run(feeds: Readonly<Record<string, Feed>>): Promise<Record<string, Output>>;
  release(): Promise<void>;
}

/** What runs ONNX files: onnxruntime-web, in the caption worker and in Node's tests. */
export interface OnnxRuntime {
  /** @throws WeftError `bad-onnx` when the file is not an ONNX graph that can run here. */
  open(file: Uint8Array, name: string): Promise<OnnxModel>;
}

/** Opaque numbers that are costly to make, kept from one session to the next. */
export interface VectorCache {
  get(key: string): Promise<Float32Array | undefined>;
  put(key: string, vectors: Float32Array): Promise<void>;
}

/** A step of getting ready, for the progress bar. `total` 0: not known. */
export interface Preparing {
  stage: "downloading" | "loading" | "phrases";
  /** What is being loaded, for people. */
  label: string;
  done: number;
  total: number;
}

/** What a captioner is opened with. */
export interface CaptionerContext {
  readonly runtime: OnnxRuntime;
  readonly vectors: VectorCache;
  /** Where graphs run, and whether 16-bit floats run there. */
  readonly device: { readonly gpu: boolean; readonly f16: boolean };
  /** Identifies the model's files, so that what was computed with one model is never used with another. */
  readonly modelKey: string;
  tokenizer(): Promise<ClipTokenizer>;
  /**
   * A file of the model, by its path in the model's folder.
   * @throws WeftError `model-file-missing` when the model has no such file.
   */
  file(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Whether the model has the file. Of a model on the hub every file is assumed to be there. */
  hasFile(path: string): Promise<boolean>;
  /** The person's phrase lists (or ours) by list id, one phrase per entry. */
  phrases(list: string): Promise<readonly string[]>;
  onPreparing(step: Preparing): void;
  /** Throws when the person cancelled. */
  checkpoint(): void;
}

/** A phrase or tag with how well it fits the picture: a cosine similarity or a probability. */
export interface ScoredPhrase {
  group: string;
  text: string;
  score: number;
  /** In the caption; false for the next best that are only shown. */
  used: boolean;
}

export interface CaptionResult {
  caption: string;
  /** Best first within each group. */
  phrases: ScoredPhrase[];
}

/** One picture, RGB, upright, on white. */
export interface CaptionRequest {
  pixels: Pixels;
  /** The caption it has now: the interrogator may build on it. */
  existing: string;
}

export interface Captioner {
  caption(request: CaptionRequest): Promise<CaptionResult>;
  release(): Promise<void>;
}

/**
 * @param settings whatever was stored for the captioner's fields
 * @param leaveOut what captions must not mention
 * @param describer where the captioner may take its sentences from
 */
export type CaptionerOpener = (
  context: CaptionerContext,
  settings: unknown,
  leaveOut: LeaveOut,
  describer?: Captioner,
) => Promise<Captioner>;
