/** How soon a model was there, as the browser's own timeline has it. */
import type { Page } from "@playwright/test";

export interface FirstWeights {
  /** Milliseconds from asking for the model to its first weights read. */
  readonly asked: number;
  /** Milliseconds from loading the page to the same. */
  readonly loaded: number;
}

/** Of the model that was opened last. */
export async function firstWeights(page: Page): Promise<FirstWeights> {
  return page.evaluate(() => {
    const measure = performance.getEntriesByName("weft-model-opened").at(-1);
    if (!measure) throw new Error("no model was opened");
    const { duration, startTime } = measure;
    return { asked: Math.round(duration), loaded: Math.round(startTime + duration) };
  });
}
