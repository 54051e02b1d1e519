/** Opens captioners by their id. Each is loaded when first used. */
import type { CaptionerId } from "./menu";
import type { CaptionerOpener } from "./types";

export const openers: Record<CaptionerId, () => Promise<CaptionerOpener>> = {
  mini: async () => (await import("./captioners/mini")).openMini,
  florence2: async () => (await import("./captioners/describer")).openFlorence2,
  tagger: async () => (await import("./captioners/tagger")).openTagger,
  interrogator: async () => (await import("./captioners/interrogator")).openInterrogator,
  smolvlm: async () => (await import("./captioners/describer")).openSmolVlm,
};
