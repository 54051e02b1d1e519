/** The noise levels a picture is made with: sampler, schedule and step count put together as the web UI does. */
import type { SigmaTable } from "../diffusion/sigmaTable";
import { samplerMeta } from "./meta";
import type { SamplerName } from "./meta";
import { sigmaSchedules } from "./sigmas";
import { createLcmTable } from "./sigmas/lcmTable";
import type { SigmaScheduleName } from "./sigmas/meta";
import type { SigmaSchedule } from "./sigmas/types";
import { ddimSigmas, unipcSigmas } from "./sigmas/unitVariance";

const ownSchedules: Partial<Record<SamplerName, SigmaSchedule>> = {
  ddim: ddimSigmas,
  plms: ddimSigmas,
  unipc: unipcSigmas,
};

/** Drops the last σ before the final 0. */
function withoutPenultimate(sigmas: Float32Array): Float32Array {
  return Float32Array.of(...sigmas.slice(0, -2), ...sigmas.slice(-1));
}

/** The schedule really used; undefined for samplers that bring their own list. */
export function resolveSchedule(
  sampler: SamplerName,
  schedule: SigmaScheduleName | "automatic",
): SigmaScheduleName | undefined {
  const own = samplerMeta[sampler].schedule;
  if (own === "own") return undefined;
  return schedule === "automatic" ? own : schedule;
}

/**
 * Descending σ for `steps` steps.
 * @param schedule ignored by DDIM, PLMS and UniPC, as in the web UI.
 */
export function samplerSigmas(
  sampler: SamplerName,
  schedule: SigmaScheduleName | "automatic",
  steps: number,
  table: SigmaTable,
): Float32Array {
  const name = resolveSchedule(sampler, schedule);
  if (name === undefined) return (ownSchedules[sampler] ?? ddimSigmas)(steps, table);
  const levels = sampler === "lcm" ? createLcmTable() : table;
  if (!samplerMeta[sampler].discardPenultimate) return sigmaSchedules[name](steps, levels);
  return withoutPenultimate(sigmaSchedules[name](steps + 1, levels));
}
