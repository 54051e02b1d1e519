/** Sigma schedules for menus and infotexts: plain data. */

export type SigmaScheduleName =
  | "uniform"
  | "normal"
  | "karras"
  | "karras_old"
  | "exponential"
  | "polyexponential"
  | "sgm_uniform"
  | "simple"
  | "ddim_uniform"
  | "beta"
  | "beta_comfy"
  | "kl_optimal"
  | "align_your_steps"
  | "align_your_steps_xl";

export interface SigmaScheduleMeta {
  /** The web UI's "Schedule type". */
  label: string;
  /** Not in the web UI's menu: known only to old pictures or to ComfyUI. */
  hidden?: true;
}

export const sigmaScheduleMeta: Record<SigmaScheduleName, SigmaScheduleMeta> = {
  uniform: { label: "Uniform" },
  karras: { label: "Karras" },
  exponential: { label: "Exponential" },
  polyexponential: { label: "Polyexponential" },
  sgm_uniform: { label: "SGM Uniform" },
  kl_optimal: { label: "KL Optimal" },
  align_your_steps: { label: "Align Your Steps" },
  simple: { label: "Simple" },
  normal: { label: "Normal" },
  ddim_uniform: { label: "DDIM" },
  beta: { label: "Beta" },
  karras_old: { label: "Karras (old)", hidden: true },
  beta_comfy: { label: "Beta (ComfyUI)", hidden: true },
  align_your_steps_xl: { label: "Align Your Steps (SDXL)", hidden: true },
};
