/** Stable Diffusion 1.x: one CLIP text encoder, noise prediction, 512-pixel pictures. */
import { TEXT_PREFIX } from "../../formats/checkpoint/layout";
import type { ModelFamily } from "../family";
import { normedStates, plainParts } from "../sd/family";

export const sd1: ModelFamily = {
  ...plainParts,
  name: "sd1",
  nativeSize: () => 512,
  padTokens: ["eos"],
  buildText: (graph, { text }, operands, options) => ({
    context: normedStates(graph, text, TEXT_PREFIX.sd1, operands, options),
  }),
};
