/**
 * The root of every error a person may see.
 *
 * The message says what happened and to which file or setting; `hint` says what to do next.
 * Bugs of ours throw `InternalError` instead, whose message begins with `internal:`.
 */
export class WeftError extends Error {
  /** A stable machine-readable word, e.g. `truncated`, `not-safetensors`. */
  readonly code: string;
  /** What the person can do about it. */
  readonly hint: string;

  constructor(code: string, message: string, hint = "") {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
  }
}

/** A broken assumption inside Weft; never the person's fault. */
export class InternalError extends WeftError {
  constructor(message: string) {
    super(
      "internal",
      `internal: ${message}`,
      "This is a bug in Weft. Please report it with the message above.",
    );
  }
}

/**
 * Throws {@link InternalError} when `condition` is false.
 * @param message what was assumed; a function when the text is costly to build.
 */
export function invariant(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new InternalError(typeof message === "string" ? message : message());
}
