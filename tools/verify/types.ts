/**
 * What a golden case is and what a kind of case must provide.
 *
 * A kind is one file `kinds/<kind>.ts` that exports `kind: VerifyKind`; being there is its registration.
 */

/** One tensor of a case's `tensors.safetensors`, row-major. */
export interface GoldenTensor {
  /** As in the file: F32, I32 or U8. */
  readonly dtype: string;
  readonly shape: number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** One folder that holds a `case.json`. */
export interface VerifyCase {
  /** Folder relative to the folder given on the command line; what the report calls the case. */
  readonly name: string;
  /** Absolute path of the case's folder. */
  readonly dir: string;
  /** Nearest ancestor that holds `models/`; paths inside a case are relative to it. */
  readonly root: string;
  /** The parsed `case.json`. */
  readonly case: Record<string, unknown>;
  /** Every tensor beside the case; an empty map when there is no tensor file. Read once. */
  tensors(): Promise<Map<string, GoldenTensor>>;
}

export interface VerifyAdapter {
  readonly gpu: GPUDevice;
  readonly name: string;
  readonly isSoftware: boolean;
}

/** What the cases of one run share. Everything is made on first use. */
export interface VerifyEnv {
  /** The GPU device and what it runs on; cases that never ask cost no adapter. */
  adapter(): Promise<VerifyAdapter>;
  /** Makes a costly thing (a loaded checkpoint) once per run and key. */
  once<T>(key: string, make: () => Promise<T>): Promise<T>;
}

export interface VerifyOutcome {
  /** Names a part of the case where one case gives several outcomes. */
  name?: string;
  status: "passed" | "failed" | "skipped";
  /** The largest relative error that was compared. */
  error?: number;
  /** Why it failed or was skipped, or a note. */
  detail?: string;
}

export interface VerifyKind {
  /** Equal to the file's name and to `kind` in `case.json`. */
  name: string;
  run(c: VerifyCase, env: VerifyEnv): Promise<VerifyOutcome | VerifyOutcome[]>;
}
