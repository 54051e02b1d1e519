/**
 * What tensor shapes cannot tell (head counts, norm groups, activation, prediction type), from the
 * `__metadata__.config` JSON that the small models of this project carry. Untrusted like every other byte.
 */
import * as v from "valibot";

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65536));
const activation = v.picklist(["quick_gelu", "gelu"]);

const textHints = v.object({ heads: v.exactOptional(size), activation: v.exactOptional(activation) });

const configHints = v.object({
  prediction: v.exactOptional(v.picklist(["epsilon", "v"])),
  unet: v.exactOptional(
    v.object({
      num_heads: v.exactOptional(size),
      num_head_channels: v.exactOptional(size),
      norm_groups: v.exactOptional(size),
      size_embedding_dim: v.exactOptional(size),
    }),
  ),
  text: v.exactOptional(textHints),
  text2: v.exactOptional(textHints),
  vae: v.exactOptional(
    v.object({
      norm_groups: v.exactOptional(size),
      scaling_factor: v.exactOptional(v.pipe(v.number(), v.minValue(1e-3), v.maxValue(1e3))),
    }),
  ),
});

export type ConfigHints = v.InferOutput<typeof configHints>;

/** Longest config text that is looked at; real ones have a few hundred characters. */
const MAX_LENGTH = 16384;

/**
 * @param text the metadata value, or undefined.
 * @returns the understood part, or null when the text is something else (other programs use the key too).
 */
export function parseConfigHints(text: string | undefined): ConfigHints | null {
  if (text === undefined || text.length > MAX_LENGTH) return null;
  const parsed = v.safeParse(configHints, parseJson(text));
  return parsed.success ? parsed.output : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
