/** Share of a GPU's memory that one page may count on: the desktop and the browser have theirs. */
const USABLE_SHARE = 0.8;

/** What a step may take of a GPU's memory. */
export function usableBytes(memory: number): number {
  return USABLE_SHARE * memory;
}
