import type { LrSchedule } from "./types";
import { cosineFall, progress, withWarmup } from "./warmup";

/** Half a cosine period to 0 at the last step (and up again past it, as in the reference). */
export const cosine: LrSchedule = withWarmup((step, options) => cosineFall(progress(step, options)));
