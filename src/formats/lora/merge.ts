/**
 * What a LoRA module adds to a weight, on the processor in float32. Used to bake LoRAs into weights and as the
 * reference for the engine's own LoRA path. Formulas: the LyCORIS definitions of each kind.
 */
import { TensorFileError, quoted } from "../safetensors/errors";
import { asMatrix, hadamard, kronecker, multiply, transpose, tucker, type Matrix } from "./matrix";
import type { LoraKind } from "./parse";
import type { LoadedModule, LoraTensor } from "./read";

/**
 * `up @ down * strength * alpha / rank` in the weight's element order.
 * @param down [rank, in] or [rank, in, kh, kw]; with `mid` (Tucker) [s, in, 1, 1].
 * @param up [out, rank] or [out, rank, 1, 1].
 * @param alpha null means alpha = rank.
 * @param mid [rank, s, kh, kw], only in Tucker-decomposed LoCon files.
 */
export function mergeLoraDelta(
  down: LoraTensor,
  up: LoraTensor,
  alpha: number | null,
  strength: number,
  mid?: LoraTensor,
): Float32Array<ArrayBuffer> {
  const delta = mid ? tucker(asMatrix(up), mid, asMatrix(down)) : multiply(asMatrix(up), asMatrix(down));
  const rank = down.shape[0] ?? 1;
  return scaled(delta.data, (strength * (alpha ?? rank)) / rank);
}

/**
 * The weight with one module applied.
 * @param weight the module's weight (for stacked tensors: its rows), row-major.
 * @returns a new array.
 * @throws TensorFileError `unknown-key` for kinds that are not supported, `missing-tensors`, `shape`.
 */
export function applyToWeight(
  weight: Float32Array,
  module: LoadedModule,
  strength: number,
): Float32Array<ArrayBuffer> {
  const dora = module.tensors.get("dora_scale");
  if (!dora) return added(weight, weightDelta(module), strength, module);
  // DoRA rescales the fully changed weight, and strength blends between the old and the new one.
  const changed = added(weight, weightDelta(module), 1, module);
  const rescaled = doraRescaled(changed, dora, module.target.outFeatures);
  return Float32Array.from(weight, (w, i) => w + strength * ((rescaled[i] ?? 0) - w));
}

/** The bias with one module applied; modules without a bias change give an equal copy. */
export function applyToBias(
  bias: Float32Array,
  module: LoadedModule,
  strength: number,
): Float32Array<ArrayBuffer> {
  const delta = module.tensors.get("diff_b") ?? module.tensors.get("b_norm");
  return delta ? added(bias, delta.data, strength, module) : Float32Array.from(bias);
}

/** Full-strength change of the weight. */
function weightDelta(module: LoadedModule): Float32Array {
  const delta = DELTAS[module.kind];
  if (delta) return delta(module);
  throw new TensorFileError(
    "unknown-key",
    `Module ${quoted(module.name, 120)} is of the kind "${module.kind}", which Weft cannot apply yet.`,
    "Weft applies LoRA, LoCon, LoHa, LoKr, DoRA and full-difference files.",
  );
}

const DELTAS: Partial<Record<LoraKind, (module: LoadedModule) => Float32Array>> = {
  lora: (module) =>
    mergeLoraDelta(
      required(module, "lora_down.weight"),
      required(module, "lora_up.weight"),
      module.alpha,
      1,
      module.tensors.get("lora_mid.weight"),
    ),
  loha: lohaDelta,
  lokr: lokrDelta,
  full: (module) => module.tensors.get("diff")?.data ?? new Float32Array(0),
  norm: (module) => module.tensors.get("w_norm")?.data ?? new Float32Array(0),
};

/** Elementwise product of two low-rank factors; rank = rows of w1_b. */
function lohaDelta(module: LoadedModule): Float32Array {
  const product = hadamard(lohaFactor(module, 1), lohaFactor(module, 2));
  const rank = required(module, "hada_w1_b").shape[0] ?? 1;
  return scaled(product.data, (module.alpha ?? rank) / rank);
}

function lohaFactor(module: LoadedModule, k: 1 | 2): Matrix {
  const a = asMatrix(required(module, `hada_w${k}_a`));
  const b = asMatrix(required(module, `hada_w${k}_b`));
  const core = module.tensors.get(`hada_t${k}`);
  return core ? tucker(transpose(a), core, b) : multiply(a, b);
}

/** Kronecker product; scaled by alpha over the inner rank unless both factors are full. */
function lokrDelta(module: LoadedModule): Float32Array {
  const [w1, rank1] = lokrFactor(module, 1);
  const [w2, rank2] = lokrFactor(module, 2);
  const rank = rank2 ?? rank1;
  const scale = rank === null ? 1 : (module.alpha ?? rank) / rank;
  const area = module.target.kind === "conv3x3" ? 9 : 1;
  return scaled(kronecker(w1, w2, area).data, scale);
}

/** One factor and its inner rank (null when it is stored whole). */
function lokrFactor(module: LoadedModule, k: 1 | 2): [Matrix, number | null] {
  const whole = module.tensors.get(`lokr_w${k}`);
  if (whole) return [asMatrix(whole), null];
  const a = asMatrix(required(module, `lokr_w${k}_a`));
  const b = asMatrix(required(module, `lokr_w${k}_b`));
  const core = module.tensors.get(`lokr_t${k}`);
  return [core ? tucker(transpose(a), core, b) : multiply(a, b), b.rows];
}

/** Rows or columns of `weight` rescaled to the lengths in `m`: [out, 1...] or [1, in, 1...]. */
function doraRescaled(weight: Float32Array, m: LoraTensor, outFeatures: number): Float32Array {
  const perRow = weight.length / outFeatures;
  const byRow = m.shape[0] === outFeatures;
  const area = byRow ? 1 : perRow / m.data.length;
  const group = (i: number) => (byRow ? Math.floor(i / perRow) : Math.floor((i % perRow) / area));
  const squares = new Float64Array(m.data.length);
  weight.forEach((w, i) => (squares[group(i)] = (squares[group(i)] ?? 0) + w * w));
  return weight.map((w, i) => (w * (m.data[group(i)] ?? 0)) / Math.sqrt(squares[group(i)] ?? 1));
}

function required(module: LoadedModule, tensor: string): LoraTensor {
  const found = module.tensors.get(tensor);
  if (found) return found;
  throw new TensorFileError(
    "missing-tensors",
    `Module ${quoted(module.name, 120)} lacks its ${tensor}.`,
    "The LoRA is incomplete. Download it again.",
  );
}

function scaled(values: Float32Array, factor: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (x) => x * factor);
}

/** base + strength · delta; an empty delta changes nothing. */
function added(
  base: Float32Array,
  delta: Float32Array,
  strength: number,
  module: LoadedModule,
): Float32Array<ArrayBuffer> {
  if (delta.length !== base.length && delta.length !== 0) {
    throw new TensorFileError(
      "shape",
      `Module ${quoted(module.name, 120)} changes ${delta.length} values where the model has ${base.length}.`,
      "The LoRA is damaged or was made for another model.",
    );
  }
  return Float32Array.from(base, (x, i) => x + strength * (delta[i] ?? 0));
}
