/** Every model family that can be trained and sampled, by name. */
import type { FamilyName } from "../formats/checkpoint/config";
import type { ModelFamily } from "./family";
import { sd1 } from "./sd1";
import { sd2 } from "./sd2";
import { sdxl } from "./sdxl";

const families: Record<FamilyName, ModelFamily> = { sd1, sd2, sdxl };

export function familyNamed(name: FamilyName): ModelFamily {
  return families[name];
}
