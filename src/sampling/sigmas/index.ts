/** Every sigma schedule by name. */
import { alignYourSteps, alignYourStepsXl } from "./alignYourSteps";
import { beta, betaComfy } from "./beta";
import { ddimUniform, simple } from "./discrete";
import { exponential, polyexponential } from "./exponential";
import { karras, karrasOld } from "./karras";
import { klOptimal } from "./klOptimal";
import type { SigmaScheduleName } from "./meta";
import type { SigmaSchedule } from "./types";
import { sgmUniform, uniform } from "./uniform";

export const sigmaSchedules: Record<SigmaScheduleName, SigmaSchedule> = {
  uniform,
  normal: uniform,
  karras,
  karras_old: karrasOld,
  exponential,
  polyexponential,
  sgm_uniform: sgmUniform,
  simple,
  ddim_uniform: ddimUniform,
  beta,
  beta_comfy: betaComfy,
  kl_optimal: klOptimal,
  align_your_steps: alignYourSteps,
  align_your_steps_xl: alignYourStepsXl,
};
