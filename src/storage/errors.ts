/** What the browser's storage throws, in words. */
import { WeftError } from "../base/errors";

/** Turns the browser's storage errors into words with a way out. */
export function storageError(error: unknown): WeftError {
  if (error instanceof WeftError) return error;
  const name = error instanceof DOMException ? error.name : "";
  if (name === "QuotaExceededError") {
    return new WeftError(
      "storage-full",
      "The browser has no room left for this site.",
      "Free disk space, or delete old models, runs and pictures here, then try again. Nothing that was saved is lost.",
    );
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new WeftError(
    "storage-failed",
    `The browser could not write to its storage: ${detail}`,
    "Private windows and strict settings block it; try a normal window.",
  );
}
