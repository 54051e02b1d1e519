/**
 * Stable Diffusion 2.x: an OpenCLIP text encoder of which the last layer is never used, attention heads of 64 channels,
 * linear projections. The 768-pixel models predict the velocity, the 512-pixel ones the noise.
 */
import { TEXT_PREFIX } from "../../formats/checkpoint/layout";
import type { ModelFamily } from "../family";
import { normedStates, plainParts } from "../sd/family";

export const sd2: ModelFamily = {
  ...plainParts,
  name: "sd2",
  nativeSize: ({ prediction }) => (prediction === "v" ? 768 : 512),
  padTokens: ["zero"],
  fixedClipSkip: 2,
  buildText: (graph, { text }, operands, options) => ({
    context: normedStates(graph, text, TEXT_PREFIX.sd2, operands, options),
  }),
};
