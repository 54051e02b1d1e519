/** Schedules that pick whole timesteps out of the table. */
import { endingInZero } from "./linspace";
import type { SigmaSchedule } from "./types";

/** Every (1000 / steps)-th entry from the top. */
export const simple: SigmaSchedule = (steps, { sigmas }) => {
  const stride = sigmas.length / steps;
  const pick = (x: number) => sigmas[sigmas.length - 1 - Math.floor(x * stride)] ?? 0;
  return endingInZero(Array.from({ length: steps }, (_, x) => pick(x)));
};

/** Entries 1, 1 + k, 1 + 2k … with k = ⌊1000 / steps⌋; may give more steps than asked for. */
export const ddimUniform: SigmaSchedule = (steps, { sigmas }) => {
  const stride = Math.max(Math.floor(sigmas.length / steps), 1);
  const picked = sigmas.filter((_, t) => t >= 1 && (t - 1) % stride === 0);
  return endingInZero([...picked].reverse());
};
