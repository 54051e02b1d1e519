/** Short messages at the edge of the screen. The one place where state meets the toast library. */
import { toast } from "svelte-sonner";
import { fromFailure } from "../workers/failure";

/** Shows what went wrong and what to do; `action` is the button that does it. */
export function showError(reason: unknown, action?: { label: string; onClick: () => void }): void {
  const error = fromFailure(reason);
  toast.error(error.message, { description: error.hint, duration: 12_000, ...(action ? { action } : {}) });
}

/** What went wrong and what to do, in one line, for a place of its own on the screen. */
export function readableFailure(reason: unknown): string {
  const { message, hint } = fromFailure(reason);
  return hint ? `${message} ${hint}` : message;
}

export function showSuccess(message: string, description = ""): void {
  toast.success(message, { description });
}

/** What was done, with the button that takes it back. */
export function showUndoable(message: string, undo: () => void): void {
  toast.success(message, { action: { label: "Undo", onClick: undo }, duration: 8000 });
}

export function showWarning(message: string, description = ""): void {
  toast.warning(message, { description, duration: 10_000 });
}
