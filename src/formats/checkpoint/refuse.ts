/** Recognises tensor files that are not Stable Diffusion checkpoints and says what they are. */
import { TensorFileError, quoted, type FileErrorCode } from "../safetensors/errors";
import type { SafetensorsHeader } from "../safetensors/header";
import { UNET_PREFIX } from "./layout";

interface Refusal {
  /** Tells the file by one of its keys. */
  key: RegExp;
  what: string;
  hint: string;
}

const NEED_BASE =
  "Weft trains on Stable Diffusion 1.x, 2.x and XL checkpoints: one .safetensors file with UNet, VAE and text encoder.";

const REFUSALS: readonly Refusal[] = [
  {
    key: /^lora_(unet|te\d?|prior|transformer)_|\.lora_(up|down|A|B)\.|\.lora\.(up|down)\.|^lycoris_|\.hada_w1_a$|\.lokr_w[12]/,
    what: "a LoRA, not a base model",
    hint: "Use it in the Try room, on top of the base model it was trained for.",
  },
  {
    key: /^(emb_params|clip_[lg]|string_to_param)$|^string_to_param\./,
    what: "a textual inversion embedding, not a base model",
    hint: NEED_BASE,
  },
  {
    key: /^(control_model\.|controlnet_|input_hint_block\.)/,
    what: "a ControlNet, not a base model",
    hint: NEED_BASE,
  },
  {
    key: /^(model\.diffusion_model\.)?(double_blocks|single_blocks|transformer_blocks)\.\d/,
    what: "a Flux-like transformer model, whose LoRAs are of a different kind",
    hint: NEED_BASE,
  },
  {
    key: /^(model\.diffusion_model\.)?joint_blocks\.\d/,
    what: "a Stable Diffusion 3 model",
    hint: NEED_BASE,
  },
  {
    key: /^conditioner\.embedders\.0\.model\./,
    what: "the SDXL refiner, which only finishes pictures of the SDXL base model",
    hint: NEED_BASE,
  },
  {
    key: /^model\.diffusion_model\.(clip_txt_mapper|effnet_mapper)\b/,
    what: "a Stable Cascade model",
    hint: NEED_BASE,
  },
  {
    key: /^(down_blocks|up_blocks|mid_block)\./,
    what: "one part of a diffusers model folder, not a whole checkpoint",
    hint: "Open the whole folder, the one that holds model_index.json.",
  },
  {
    key: /^(encoder|decoder)\.(conv_in|mid|down|up)\b/,
    what: "a VAE alone, not a base model",
    hint: "Choose it under “Separate VAE” in the Model room, then open a base model.",
  },
  {
    key: /^text_model\.|^transformer\.resblocks\./,
    what: "a text encoder alone, not a base model",
    hint: NEED_BASE,
  },
];

/** First convolutions with more than the four latent channels. */
const CONV_IN: ReadonlyMap<number, string> = new Map([
  [9, "an inpainting model (its UNet has 9 input channels)"],
  [8, "an instruct-pix2pix model (its UNet has 8 input channels)"],
  [5, "a depth-to-image model (its UNet has 5 input channels)"],
]);

/**
 * Returns when the header looks like a checkpoint with a UNet of the SD kind.
 * @throws TensorFileError `wrong-base` when the file is recognisably something else, `unknown-key` when it is
 *   nothing known.
 */
export function refuseOtherFiles(header: SafetensorsHeader, file: string): void {
  const keys = [...header.tensors.keys()];
  for (const { key, what, hint } of REFUSALS) {
    if (keys.some((name) => key.test(name))) refuse("wrong-base", `"${file}" is ${what}.`, hint);
  }
  if (!keys.some((name) => name.startsWith(UNET_PREFIX))) {
    refuse(
      "unknown-key",
      `"${file}" contains no part of a known model; its first tensor is ${quoted(keys[0] ?? "")}.`,
      NEED_BASE,
    );
  }
  refuseConvIn(header, file);
}

function refuseConvIn(header: SafetensorsHeader, file: string): void {
  const channels = header.tensors.get(`${UNET_PREFIX}input_blocks.0.0.weight`)?.shape[1];
  if (channels === undefined || channels === 4) return;
  const what = CONV_IN.get(channels) ?? `a model with ${channels} input channels instead of 4`;
  refuse(
    "wrong-base",
    `"${file}" is ${what}.`,
    "Train on the ordinary model it was made from; the LoRA then works on both.",
  );
}

function refuse(code: FileErrorCode, message: string, hint: string): never {
  throw new TensorFileError(code, message, hint);
}
