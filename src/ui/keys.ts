/** Keys that mean something outside text fields only. */

/** Whether a key press writes something, or belongs to an open dialog or menu. */
export function isTyping({ target }: Event): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches("input, textarea, select") || isInDialog(target);
}

/** Whether it happened in a dialog or a menu, which has keys of its own. */
export function isInDialog(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('[role="dialog"], [role="alertdialog"], [role="menu"]') !== null
  );
}
