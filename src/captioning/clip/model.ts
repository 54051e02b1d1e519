/**
 * A CLIP-shaped pair of ONNX graphs as two functions: pictures and texts to unit vectors of one space. Reads from the
 * graphs what it must know (picture size, type of ids), so that exports of other tools work as they are.
 */
import { WeftError } from "../../base/errors";
import type { Pixels } from "../../dataset/pixels";
import { CLIP_LENGTH, type ClipTokenizer } from "../../formats/tokenizer/clipTokenizer";
import type { Feed, OnnxModel, OnnxPort, Output } from "../types";
import { clipStatistics, fitAndCrop, normaliseChannels, type ChannelStatistics } from "./preprocess";
import { normaliseRows, rowOf, type Vectors } from "./vectors";

/** Texts per run of the text encoder: enough to keep it busy, few enough to cancel between them. */
const textBatch = 32;

export interface ClipModel {
  /** The unit vector of a picture. */
  imageFeatures(pixels: Pixels): Promise<Float32Array>;
  /** Unit vectors of texts, in their order. `onDone` hears how many are done. */
  textFeatures(texts: readonly string[], onDone?: (done: number) => void): Promise<Vectors>;
  /** Whether the text fills the encoder's row, so that nothing more fits in. */
  isFull(text: string): boolean;
  release(): Promise<void>;
}

export interface ImageParts {
  image: OnnxModel;
  /** Side of the square picture, where the graph leaves it free. */
  imageSize?: number | undefined;
  statistics?: ChannelStatistics | undefined;
}

export interface ClipParts extends ImageParts {
  text: OnnxModel;
  tokenizer: ClipTokenizer;
}

const defaultImageSize = 224;
/** A graph that asks for larger pictures is no CLIP, or means harm. */
const largestImage = 1024;

function port(model: OnnxModel, name: string, what: string): OnnxPort {
  const found = model.inputs.find((input) => input.name === name);
  if (found) return found;
  throw new WeftError(
    "not-clip",
    `The ${what} has no input called "${name}".`,
    "Choose the ONNX files of a CLIP model that was exported with projections.",
  );
}

function output(outputs: Record<string, Output>, name: string): Output {
  const found = outputs[name] ?? (Object.keys(outputs).length === 1 ? Object.values(outputs)[0] : undefined);
  if (found) return found;
  throw new WeftError(
    "not-clip",
    `The model gives no "${name}".`,
    "Choose the ONNX files of a CLIP model that was exported with projections.",
  );
}

/** Ids as the graph wants them. */
function ids(type: string, values: readonly number[], dims: readonly number[]): Feed {
  const data = type === "int64" ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
  return { data, dims };
}

/**
 * The picture's half of a CLIP: unit vectors of pictures.
 * @throws WeftError `not-clip` when the graph is no image encoder
 */
export function imageEncoder({
  image,
  imageSize,
  statistics = clipStatistics,
}: ImageParts): ClipModel["imageFeatures"] {
  const fixedSize = port(image, "pixel_values", "image model").shape.at(-1);
  const size = typeof fixedSize === "number" && fixedSize > 0 ? fixedSize : (imageSize ?? defaultImageSize);
  if (size > largestImage)
    throw new WeftError(
      "not-clip",
      `The image model wants pictures of ${size} px.`,
      "Choose the ONNX files of a CLIP model.",
    );
  return async (pixels) => {
    const data = normaliseChannels(fitAndCrop(pixels, size), statistics);
    const embeds = output(
      await image.run({ pixel_values: { data, dims: [1, 3, size, size] } }),
      "image_embeds",
    );
    const width = embeds.dims.at(-1) ?? embeds.data.length;
    return rowOf(normaliseRows({ data: embeds.data.slice(0, width), width }), 0);
  };
}

/** @throws WeftError `not-clip` when the graphs are not a pair of CLIP encoders. */
export function clipModel({ text, tokenizer, ...parts }: ClipParts): ClipModel {
  const imageFeatures = imageEncoder(parts);
  const idPort = port(text, "input_ids", "text model");
  const fixedBatch = idPort.shape[0];
  const batch = typeof fixedBatch === "number" && fixedBatch > 0 ? fixedBatch : textBatch;
  const maskPort = text.inputs.find((input) => input.name === "attention_mask");

  async function encode(texts: readonly string[]): Promise<Output> {
    const dims = [texts.length, CLIP_LENGTH];
    const rows = texts.flatMap((line) => tokenizer.encodePadded(line, 0));
    const feeds: Record<string, Feed> = { input_ids: ids(idPort.type, rows, dims) };
    // Attention is causal and the feature is taken at the end token: what follows it is never seen.
    if (maskPort)
      feeds["attention_mask"] = ids(
        maskPort.type,
        rows.map(() => 1),
        dims,
      );
    return output(await text.run(feeds), "text_embeds");
  }

  return {
    imageFeatures,
    textFeatures: async (texts, onDone) => {
      let all: Vectors = { data: new Float32Array(), width: 0 };
      for (let start = 0; start < texts.length; start += batch) {
        const part = texts.slice(start, start + batch);
        const filled = [
          ...part,
          ...Array.from({ length: typeof fixedBatch === "number" ? batch - part.length : 0 }, () => ""),
        ];
        const { data, dims } = await encode(filled);
        const width = dims.at(-1) ?? 0;
        if (all.width === 0) all = { data: new Float32Array(texts.length * width), width };
        all.data.set(data.subarray(0, part.length * width), start * width);
        onDone?.(start + part.length);
      }
      return normaliseRows(all);
    },
    isFull: (line) => (tokenizer.encodePadded(line, 0).at(-1) ?? 0) !== 0,
    release: async () => {
      await parts.image.release();
      await text.release();
    },
  };
}
