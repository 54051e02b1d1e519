/**
 * A CLIP in small: the same two towers (patches and a class token; causal text, taken at its end token), one block
 * each, 16 wide, with seeded weights. As ONNX files for the app, and as plain arrays for the float64 reference.
 */
import { onnxModel, type OnnxNode, type OnnxWeight } from "../lib/onnxModel";
import { seeded, type Random } from "./seeded";

export const width = 16;
export const embedWidth = 12;
export const imageSide = 32;
export const patchSide = 8;
export const textLength = 77;
const vocabulary = 49408;
const hidden = 4 * width;
export const patches = (imageSide / patchSide) ** 2;

export type Weights = Readonly<Record<string, OnnxWeight & { readonly data: Float32Array }>>;

export interface TinyClip {
  image: Uint8Array;
  text: Uint8Array;
  imageWeights: Weights;
  textWeights: Weights;
}

function normal(random: Random, dims: readonly number[], scale: number): Weights[string] {
  const count = dims.reduce((a, b) => a * b, 1);
  return { dims, data: Float32Array.from({ length: count }, () => random.normal() * scale) };
}

/** Weights of a pre-norm transformer block: one head, GELU by its tanh-free definition. */
function blockWeights(random: Random): Weights {
  const matrix = (rows: number, columns: number) => normal(random, [rows, columns], 1.6 / Math.sqrt(rows));
  const scale = () => {
    const { dims, data } = normal(random, [width], 0.1);
    return { dims, data: data.map((value) => 1 + value) };
  };
  return {
    norm1: scale(),
    norm1_bias: normal(random, [width], 0.1),
    query: matrix(width, width),
    key: matrix(width, width),
    value: matrix(width, width),
    out: matrix(width, width),
    norm2: scale(),
    norm2_bias: normal(random, [width], 0.1),
    up: matrix(width, hidden),
    down: matrix(hidden, width),
    norm3: scale(),
    norm3_bias: normal(random, [width], 0.1),
    projection: matrix(width, embedWidth),
  };
}

const node = (
  type: string,
  inputs: string,
  output: string,
  attributes: OnnxNode["attributes"] = {},
): OnnxNode => ({
  type,
  inputs: inputs.split(" "),
  output,
  attributes,
});

/** x [N, T, width] to `hidden` [N, T, width], with the last norm. `mask` is added to the scores. */
function blockNodes(mask?: string): OnnxNode[] {
  const scores = mask === undefined ? "scaled" : "masked";
  return [
    node("LayerNormalization", "x norm1 norm1_bias", "normed1"),
    node("MatMul", "normed1 query", "q"),
    node("MatMul", "normed1 key", "k"),
    node("MatMul", "normed1 value", "v"),
    node("Transpose", "k", "kt", { perm: [0, 2, 1] }),
    node("MatMul", "q kt", "raw"),
    node("Mul", "raw scale", "scaled"),
    ...(mask === undefined ? [] : [node("Add", `scaled ${mask}`, "masked")]),
    node("Softmax", scores, "shares", { axis: -1 }),
    node("MatMul", "shares v", "mixed"),
    node("MatMul", "mixed out", "attended"),
    node("Add", "x attended", "x1"),
    node("LayerNormalization", "x1 norm2 norm2_bias", "normed2"),
    node("MatMul", "normed2 up", "upped"),
    node("Sigmoid", "upped_scaled", "gate"),
    node("Mul", "upped gate", "active"),
    node("MatMul", "active down", "fed"),
    node("Add", "x1 fed", "x2"),
    node("LayerNormalization", "x2 norm3 norm3_bias", "hidden"),
  ].flatMap((step) =>
    // OpenAI's CLIP has the quick GELU: x · sigmoid(1.702 x).
    step.output === "gate" ? [node("Mul", "upped quick", "upped_scaled"), step] : [step],
  );
}

const scalar = (value: number): OnnxWeight => ({ dims: [], data: Float32Array.of(value) });
const whole = (...values: number[]): OnnxWeight => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const constants = { scale: scalar(1 / Math.sqrt(width)), quick: scalar(1.702) };

function imageModel(weights: Weights): Uint8Array {
  return onnxModel({
    inputs: { pixel_values: ["N", 3, imageSide, imageSide] },
    weights: {
      ...weights,
      ...constants,
      shape: whole(0, width, patches),
      zero: whole(0),
      first: { dims: [], data: BigInt64Array.of(0n) },
      zero_class: whole(1, width),
    },
    nodes: [
      node("Conv", "pixel_values patch", "patched", {
        kernel_shape: [patchSide, patchSide],
        strides: [patchSide, patchSide],
      }),
      node("Reshape", "patched shape", "columns"),
      node("Transpose", "columns", "tokens", { perm: [0, 2, 1] }),
      node("Shape", "pixel_values", "sizes"),
      node("Gather", "sizes zero", "count"),
      node("Concat", "count zero_class", "class_shape", { axis: 0 }),
      node("Expand", "class class_shape", "classes"),
      node("Concat", "classes tokens", "sequence", { axis: 1 }),
      node("Add", "sequence position", "x"),
      ...blockNodes(),
      node("Gather", "hidden first", "pooled", { axis: 1 }),
      node("MatMul", "pooled projection", "image_embeds"),
    ],
    outputs: { image_embeds: ["N", embedWidth] },
  });
}

/** Row t may see columns up to t. */
function causalMask(): OnnxWeight {
  const data = Float32Array.from({ length: textLength ** 2 }, (_, i) =>
    i % textLength > Math.floor(i / textLength) ? -1e9 : 0,
  );
  return { dims: [textLength, textLength], data };
}

function textModel(weights: Weights): Uint8Array {
  return onnxModel({
    inputs: { input_ids: { dims: ["N", textLength], type: "int64" } },
    weights: { ...weights, ...constants, mask: causalMask() },
    nodes: [
      node("Gather", "token input_ids", "tokens", { axis: 0 }),
      node("Add", "tokens position", "x"),
      ...blockNodes("mask"),
      node("ArgMax", "input_ids", "ends", { axis: 1, keepdims: 1 }),
      node("GatherND", "hidden ends", "pooled", { batch_dims: 1 }),
      node("MatMul", "pooled projection", "text_embeds"),
    ],
    outputs: { text_embeds: ["N", embedWidth] },
  });
}

export function tinyClip(seed: number): TinyClip {
  const random = seeded(seed);
  const imageWeights = {
    patch: normal(random, [width, 3, patchSide, patchSide], 0.12),
    class: normal(random, [1, 1, width], 0.5),
    position: normal(random, [1 + patches, width], 0.3),
    ...blockWeights(random),
  };
  const textWeights = {
    token: normal(random, [vocabulary, width], 1),
    position: normal(random, [textLength, width], 0.3),
    ...blockWeights(random),
  };
  return { image: imageModel(imageWeights), text: textModel(textWeights), imageWeights, textWeights };
}
