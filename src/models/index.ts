/** Every model family that can be trained and sampled, by name. */
import { WeftError } from "../base/errors";
import type { FamilyName } from "../formats/checkpoint/config";
import type { ModelFamily } from "./family";
import { sd1 } from "./sd1";

const families: Partial<Record<FamilyName, ModelFamily>> = { sd1 };

/** @throws WeftError for families that are recognised but not supported yet. */
export function familyNamed(name: FamilyName): ModelFamily {
  const family = families[name];
  if (family) return family;
  throw new WeftError(
    "family-unsupported",
    `This is a ${name.toUpperCase()} model; Weft trains Stable Diffusion 1.x models so far.`,
    "Choose a Stable Diffusion 1.x checkpoint.",
  );
}
