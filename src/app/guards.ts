/** What the page asks of the browser while a run is on: one tab only, no sleep, no accidental close. */

/** Name of the Web Lock that the tab training `runId` holds. */
function lockName(runId: string): string {
  return `weft-run-${runId}`;
}

/**
 * Runs `work` while holding the run's lock.
 * @returns false, without running it, when another tab holds the lock.
 */
export async function withRunLock(runId: string, work: () => Promise<void>): Promise<boolean> {
  return navigator.locks.request(lockName(runId), { ifAvailable: true }, async (lock) => {
    if (!lock) return false;
    await work();
    return true;
  });
}

/** Ids of the runs that some tab is training now. */
export async function lockedRuns(): Promise<Set<string>> {
  const { held = [] } = await navigator.locks.query();
  const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(lockName("")));
  return new Set(names.map((name) => name.slice(lockName("").length)));
}

/** Keeps the screen awake until the returned function is called; takes the lock again when the tab is shown again. */
export function keepAwake(): () => void {
  let sentinel: WakeLockSentinel | undefined;
  let released = false;
  const take = async (): Promise<void> => {
    if (released || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    sentinel = await navigator.wakeLock.request("screen").catch(() => undefined);
    if (released) void sentinel?.release();
  };
  const onShow = (): void => void take();
  document.addEventListener("visibilitychange", onShow);
  void take();
  return () => {
    released = true;
    document.removeEventListener("visibilitychange", onShow);
    void sentinel?.release();
  };
}

/** Asks before the tab closes, until the returned function is called. */
export function warnBeforeClose(): () => void {
  const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
  addEventListener("beforeunload", ask);
  return () => removeEventListener("beforeunload", ask);
}
