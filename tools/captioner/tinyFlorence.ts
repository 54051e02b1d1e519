/**
 * Florence-2 in small: the same files and graphs as transformers.js loads, saying "a red picture" of a red picture,
 * and so on. Its language model is a table of which word follows which; only the colour comes from the picture.
 */
import { onnxModel } from "../lib/onnxModel";
import { json, wordTokenizer } from "./tinyWords";

const words = [
  "<s>",
  "<pad>",
  "</s>",
  "<unk>",
  "a",
  "red",
  "green",
  "blue",
  "picture",
  "what",
  "does",
  "image",
];
const size = words.length;
const id = (word: string): number => words.indexOf(word);
const colours = ["red", "green", "blue"];
const side = 32;

/** [size, size]: 1 where the column's word follows the row's. */
function transitions(): Float32Array {
  const table = new Float32Array(size * size);
  const follows: [string, string][] = [
    ["</s>", "<s>"],
    ["<s>", "a"],
    ...colours.map((colour): [string, string] => [colour, "picture"]),
    ["picture", "</s>"],
  ];
  for (const [word, next] of follows) table[id(word) * size + id(next)] = 5;
  return table;
}

/** Each word is its own direction. */
function identity(): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

const column = (word: string): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => (i === id(word) ? 1 : 0));

function visionEncoder(): Uint8Array {
  const spread = new Float32Array(3 * size);
  colours.forEach((colour, i) => (spread[i * size + id(colour)] = 100));
  return onnxModel({
    inputs: { pixel_values: ["batch", 3, side, side] },
    weights: { spread: { dims: [3, size], data: spread }, one: { dims: [1], data: BigInt64Array.of(1n) } },
    nodes: [
      {
        type: "ReduceMean",
        inputs: ["pixel_values"],
        output: "mean",
        attributes: { axes: [2, 3], keepdims: 0 },
      },
      { type: "MatMul", inputs: ["mean", "spread"], output: "flat" },
      { type: "Unsqueeze", inputs: ["flat", "one"], output: "image_features" },
    ],
    outputs: { image_features: ["batch", 1, size] },
  });
}

function embedTokens(): Uint8Array {
  return onnxModel({
    inputs: { input_ids: { dims: ["batch", "length"], type: "int64" } },
    weights: { table: { dims: [size, size], data: identity() } },
    nodes: [
      { type: "Gather", inputs: ["table", "input_ids"], output: "inputs_embeds", attributes: { axis: 0 } },
    ],
    outputs: { inputs_embeds: ["batch", "length", size] },
  });
}

function encoder(): Uint8Array {
  return onnxModel({
    inputs: { inputs_embeds: ["batch", "length", size] },
    weights: {},
    nodes: [{ type: "Identity", inputs: ["inputs_embeds"], output: "last_hidden_state" }],
    outputs: { last_hidden_state: ["batch", "length", size] },
  });
}

/** What follows the last word by the table; after "a", the colours of the picture. */
function decoder(): Uint8Array {
  const onlyColours = new Float32Array(size * size);
  for (const colour of colours) onlyColours[id(colour) * (size + 1)] = 1;
  const square = (data: Float32Array) => ({ dims: [size, size], data });
  return onnxModel({
    inputs: {
      inputs_embeds: ["batch", "words", size],
      encoder_hidden_states: ["batch", "length", size],
    },
    weights: {
      next: square(transitions()),
      only_colours: square(onlyColours),
      article: { dims: [size, 1], data: column("a") },
    },
    nodes: [
      { type: "MatMul", inputs: ["inputs_embeds", "next"], output: "table_logits" },
      {
        type: "ReduceMean",
        inputs: ["encoder_hidden_states"],
        output: "seen",
        attributes: { axes: [1], keepdims: 1 },
      },
      { type: "MatMul", inputs: ["seen", "only_colours"], output: "colour" },
      { type: "MatMul", inputs: ["inputs_embeds", "article"], output: "gate" },
      { type: "Mul", inputs: ["gate", "colour"], output: "colour_logits" },
      { type: "Add", inputs: ["table_logits", "colour_logits"], output: "logits" },
    ],
    outputs: { logits: ["batch", "words", size] },
  });
}

const prompts = {
  "<CAPTION>": "What does the image describe?",
  "<DETAILED_CAPTION>": "Describe in detail what is shown in the image.",
  "<MORE_DETAILED_CAPTION>": "Describe with a paragraph what is shown in the image.",
};

/** Path → bytes of the model's folder. */
export function tinyFlorence(): Record<string, Uint8Array> {
  const ids = { bos_token_id: 0, pad_token_id: 1, eos_token_id: 2, decoder_start_token_id: 2 };
  const text = { model_type: "florence2_language", d_model: size, vocab_size: size, ...ids };
  const layers = {
    decoder_layers: 1,
    decoder_attention_heads: 1,
    encoder_layers: 1,
    encoder_attention_heads: 1,
  };
  return {
    "config.json": json({
      model_type: "florence2",
      is_encoder_decoder: true,
      ...ids,
      text_config: { ...text, ...layers },
    }),
    "generation_config.json": json({ ...ids, num_beams: 1 }),
    "tokenizer.json": json(wordTokenizer(words, 4)),
    "tokenizer_config.json": json({
      tokenizer_class: "PreTrainedTokenizer",
      bos_token: "<s>",
      eos_token: "</s>",
      pad_token: "<pad>",
      unk_token: "<unk>",
    }),
    "preprocessor_config.json": json({
      processor_class: "Florence2Processor",
      image_processor_type: "CLIPImageProcessor",
      do_resize: true,
      size: { height: side, width: side },
      do_center_crop: false,
      do_rescale: true,
      rescale_factor: 1 / 255,
      do_normalize: false,
      tasks_answer_post_processing_type: { "<CAPTION>": "pure_text" },
      task_prompts_without_inputs: prompts,
      task_prompts_with_input: {},
    }),
    "onnx/vision_encoder.onnx": visionEncoder(),
    "onnx/embed_tokens.onnx": embedTokens(),
    "onnx/encoder_model.onnx": encoder(),
    "onnx/decoder_model_merged.onnx": decoder(),
  };
}
