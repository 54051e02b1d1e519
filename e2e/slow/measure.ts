/** What a page felt like, as it tells itself. */
import type { Browser, Page } from "@playwright/test";

/** Collects the main thread's tasks of 50 ms and more from now on; to be called before the page opens. */
export async function watchLongTasks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const tasks: { begin: number; duration: number }[] = [];
    Object.assign(window, { longTasks: tasks });
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) tasks.push({ begin: startTime, duration });
    }).observe({ type: "longtask", buffered: true });
  });
}

/** Those since the last call, in milliseconds, `begin` since then or the opening of the page. */
export function takeLongTasks(page: Page): Promise<{ begin: number; duration: number }[]> {
  return page.evaluate(() => {
    const tasks = Reflect.get(window, "longTasks") as { begin: number; duration: number }[];
    const since = Number(Reflect.get(window, "longTasksSince") ?? 0);
    Object.assign(window, { longTasksSince: performance.now() });
    return tasks.splice(0).map(({ begin, duration }) => ({ begin: begin - since, duration }));
  });
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Processor time of the thread, in microseconds. */
  tdur?: number;
  args: { name?: string };
}

/**
 * Processor time of each of the page's main-thread tasks during `work`, in milliseconds, longest first. Unlike their
 * {@link takeLongTasks | wall time} it does not count the time in which other programs, the decoders or the software
 * renderer had the core.
 */
export async function processorTasks(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<number[]> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  let trace: Buffer;
  try {
    await work();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const threads = traceEvents.filter(
    ({ ph, name, args }) => ph === "M" && name === "thread_name" && args.name === "CrRendererMain",
  );
  const isMain = ({ pid, tid }: TraceEvent): boolean =>
    threads.some((thread) => thread.pid === pid && thread.tid === tid);
  return traceEvents
    .filter((event) => event.name === "ThreadControllerImpl::RunTask" && isMain(event))
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((a, b) => b - a);
}

/** Megabytes of JavaScript objects after a collection. */
export async function heapMegabytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 2 ** 20;
}

export interface Frames {
  count: number;
  perSecond: number;
  median: number;
  p95: number;
  longest: number;
}

/** Scrolls the page as a person does with a wheel, for so many milliseconds, and times the frames. */
export async function scrollFrames(
  page: Page,
  milliseconds: number,
  pixelsPerSecond: number,
): Promise<Frames> {
  const times = await page.evaluate(
    ([duration, speed]) =>
      new Promise<number[]>((resolve) => {
        const gaps: number[] = [];
        const begin = performance.now();
        let last = begin;
        const frame = (now: number): void => {
          gaps.push(now - last);
          scrollBy(0, (speed * (now - last)) / 1000);
          last = now;
          if (now - begin < duration) requestAnimationFrame(frame);
          else resolve(gaps.slice(1));
        };
        requestAnimationFrame(frame);
      }),
    [milliseconds, pixelsPerSecond] as const,
  );
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  const total = times.reduce((sum, time) => sum + time, 0);
  return {
    count: times.length,
    perSecond: (1000 * times.length) / total,
    median: at(0.5),
    p95: at(0.95),
    longest: at(1),
  };
}

/** One line for the log of measurements. */
export function say(what: string, figures: object): void {
  const rounded = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === "number" ? value.toPrecision(4) : value}`,
  );
  process.stdout.write(`[measured] ${what}: ${rounded.join(", ")}\n`);
}

/** "320 ms at 1.5 s, …" */
export function taskList(tasks: readonly { begin: number; duration: number }[]): string {
  return (
    tasks
      .map(({ begin, duration }) => `${Math.round(duration)} ms at ${(begin / 1000).toFixed(1)} s`)
      .join(", ") || "none"
  );
}
