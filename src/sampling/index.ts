/** Every sampler by name. */
import { ddim } from "./ddim";
import { dpm2, dpm2Ancestral } from "./dpm2";
import { dpmpp2m } from "./dpmpp2m";
import { dpmpp2mSde, dpmpp2mSdeHeun } from "./dpmpp2mSde";
import { dpmpp2sAncestral } from "./dpmpp2sAncestral";
import { dpmpp3mSde } from "./dpmpp3mSde";
import { dpmppSde } from "./dpmppSde";
import { euler } from "./euler";
import { eulerAncestral } from "./eulerAncestral";
import { heun } from "./heun";
import { lcm } from "./lcm";
import { lms } from "./lms";
import type { SamplerName } from "./meta";
import { plms } from "./plms";
import type { Sampler } from "./types";
import { unipc } from "./unipc";

export const samplers: Record<SamplerName, Sampler> = {
  dpmpp_2m: dpmpp2m,
  dpmpp_sde: dpmppSde,
  dpmpp_2m_sde: dpmpp2mSde,
  dpmpp_2m_sde_heun: dpmpp2mSdeHeun,
  dpmpp_2s_a: dpmpp2sAncestral,
  dpmpp_3m_sde: dpmpp3mSde,
  euler_a: eulerAncestral,
  euler,
  lms,
  heun,
  dpm2,
  dpm2_a: dpm2Ancestral,
  ddim,
  plms,
  unipc,
  lcm,
};
