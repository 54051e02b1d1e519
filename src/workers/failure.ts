/**
 * Errors across the worker border. Structured cloning keeps an Error's message but loses `code` and `hint`, so a
 * worker throws a plain {@link WorkerFailure} and the page turns it back into a {@link WeftError}.
 */
import { WeftError } from "../base/errors";
import type { WorkerFailure } from "./engine/api";

/** What a worker throws for `error`: its words, without the stack. */
export function toFailure(error: unknown): WorkerFailure {
  if (error instanceof WeftError) return { code: error.code, message: error.message, hint: error.hint };
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "internal",
    message: `internal: ${message}`,
    hint: "This is a bug in Weft. Please report it.",
  };
}

function isFailure(value: unknown): value is WorkerFailure {
  return (
    typeof value === "object" && value !== null && "code" in value && "message" in value && "hint" in value
  );
}

/** The error the page shows for whatever a worker call rejected with. */
export function fromFailure(reason: unknown): WeftError {
  if (reason instanceof WeftError) return reason;
  if (isFailure(reason)) return new WeftError(reason.code, reason.message, reason.hint);
  const message = reason instanceof Error ? reason.message : String(reason);
  return new WeftError("worker-error", message);
}

/** True for the error of a call that the person cancelled. */
export function isAbort(reason: unknown): boolean {
  return (
    (reason instanceof DOMException && reason.name === "AbortError") ||
    (isFailure(reason) && reason.code === "cancelled")
  );
}
