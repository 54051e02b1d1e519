import type { LrSchedule } from "./types";

/** The base rate throughout, without warm-up. */
export const constant: LrSchedule = () => 1;
