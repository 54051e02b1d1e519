/**
 * SmolVLM in small: the same files, inputs and outputs as transformers.js loads, its key-value cache included. It says "a
 * red painting" of a red picture, and "a red picture" when the instruction speaks of the style. Its language model is a
 * table of which word follows which; colour and instruction it knows from its cache alone.
 */
import { onnxModel } from "../lib/onnxModel";
import { json, wordTokenizer } from "./tinyWords";

const specials = [
  "<unk>",
  "<|im_start|>",
  "<end_of_utterance>",
  "<fake_token_around_image>",
  "<image>",
  "<global-img>",
];
const colours = ["red", "green", "blue"];
const words = [...specials, "user", "assistant", ":", "a", ...colours, "painting", "picture", "style"];
const size = words.length;
const id = (word: string): number => words.indexOf(word);
const side = 32;

type Entry = readonly [row: string, column: string, value: number];

function square(entries: readonly Entry[]): { dims: number[]; data: Float32Array } {
  const data = new Float32Array(size * size);
  for (const [row, column, value] of entries) data[id(row) * size + id(column)] = value;
  return { dims: [size, size], data };
}

function column(rows: readonly string[]): { dims: number[]; data: Float32Array } {
  const data = new Float32Array(size);
  for (const row of rows) data[id(row)] = 1;
  return { dims: [size, 1], data };
}

const one = { dims: [1], data: BigInt64Array.of(1n) };

/** [batch, images, 3, side, side] → a row per image: how much of each colour it has. */
function visionEncoder(): Uint8Array {
  const spread = new Float32Array(3 * size);
  colours.forEach((colour, i) => (spread[i * size + id(colour)] = 100));
  return onnxModel({
    inputs: {
      pixel_values: ["batch", "images", 3, side, side],
      pixel_attention_mask: { dims: ["batch", "images", side, side], type: "bool" },
    },
    weights: { spread: { dims: [3, size], data: spread } },
    nodes: [
      {
        type: "ReduceMean",
        inputs: ["pixel_values"],
        output: "mean",
        attributes: { axes: [3, 4], keepdims: 0 },
      },
      { type: "MatMul", inputs: ["mean", "spread"], output: "image_features" },
    ],
    outputs: { image_features: ["batch", "images", size] },
  });
}

/** Each word is its own direction. */
function embedTokens(): Uint8Array {
  return onnxModel({
    inputs: { input_ids: { dims: ["batch", "length"], type: "int64" } },
    weights: { table: square(words.map((word) => [word, word, 1])) },
    nodes: [
      { type: "Gather", inputs: ["table", "input_ids"], output: "inputs_embeds", attributes: { axis: 0 } },
    ],
    outputs: { inputs_embeds: ["batch", "length", size] },
  });
}

function decoder(): Uint8Array {
  const cache = ["batch", 1, "past", size];
  const grown = ["batch", 1, "past + length", size];
  const follows: Entry[] = [
    [":", "a", 5],
    ...colours.map((colour): Entry => [colour, "painting", 5]),
    ["painting", "<end_of_utterance>", 5],
    ["picture", "<end_of_utterance>", 5],
  ];
  return onnxModel({
    inputs: {
      inputs_embeds: ["batch", "length", size],
      attention_mask: { dims: ["batch", "all"], type: "int64" },
      position_ids: { dims: ["batch", "length"], type: "int64" },
      "past_key_values.0.key": cache,
      "past_key_values.0.value": cache,
    },
    weights: {
      one,
      next: square(follows),
      only_colours: square(colours.map((colour) => [colour, colour, 1])),
      instructed: square([["style", "picture", 10_000]]),
      article: column(["a"]),
      any_colour: column(colours),
    },
    nodes: [
      { type: "Unsqueeze", inputs: ["inputs_embeds", "one"], output: "rows" },
      {
        type: "Concat",
        inputs: ["past_key_values.0.key", "rows"],
        output: "present.0.key",
        attributes: { axis: 2 },
      },
      {
        type: "Concat",
        inputs: ["past_key_values.0.value", "rows"],
        output: "present.0.value",
        attributes: { axis: 2 },
      },
      {
        type: "ReduceMean",
        inputs: ["present.0.value"],
        output: "seen",
        attributes: { axes: [2], keepdims: 0 },
      },
      { type: "MatMul", inputs: ["inputs_embeds", "next"], output: "by_table" },
      { type: "MatMul", inputs: ["seen", "only_colours"], output: "colour" },
      { type: "MatMul", inputs: ["inputs_embeds", "article"], output: "after_article" },
      { type: "Mul", inputs: ["after_article", "colour"], output: "by_picture" },
      { type: "MatMul", inputs: ["seen", "instructed"], output: "wish" },
      { type: "MatMul", inputs: ["inputs_embeds", "any_colour"], output: "after_colour" },
      { type: "Mul", inputs: ["after_colour", "wish"], output: "by_instruction" },
      { type: "Add", inputs: ["by_table", "by_picture"], output: "both" },
      { type: "Add", inputs: ["both", "by_instruction"], output: "logits" },
    ],
    outputs: {
      logits: ["batch", "length", size],
      "present.0.key": grown,
      "present.0.value": grown,
    },
  });
}

/** As SmolVLM's own, for one turn. */
const chatTemplate =
  "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:" +
  "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}" +
  "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}";

/** Path → bytes of the model's folder. */
export function tinySmolVlm(): Record<string, Uint8Array> {
  const ids = {
    bos_token_id: id("<|im_start|>"),
    eos_token_id: id("<end_of_utterance>"),
    pad_token_id: id("<unk>"),
  };
  const heads = {
    hidden_size: size,
    head_dim: size,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    num_key_value_heads: 1,
  };
  return {
    "config.json": json({
      model_type: "idefics3",
      ...ids,
      image_token_id: id("<image>"),
      text_config: { model_type: "llama", vocab_size: size, ...ids, ...heads },
    }),
    "generation_config.json": json(ids),
    "tokenizer.json": json(wordTokenizer(words, specials.length)),
    "tokenizer_config.json": json({
      tokenizer_class: "PreTrainedTokenizer",
      bos_token: "<|im_start|>",
      eos_token: "<end_of_utterance>",
      unk_token: "<unk>",
      chat_template: chatTemplate,
    }),
    "processor_config.json": json({ processor_class: "Idefics3Processor", image_seq_len: 1 }),
    "preprocessor_config.json": json({
      processor_class: "Idefics3Processor",
      image_processor_type: "Idefics3ImageProcessor",
      do_resize: true,
      size: { longest_edge: 2 * side },
      max_image_size: { longest_edge: side },
      do_image_splitting: true,
      do_rescale: true,
      rescale_factor: 1 / 255,
      do_normalize: false,
    }),
    "onnx/vision_encoder.onnx": visionEncoder(),
    "onnx/embed_tokens.onnx": embedTokens(),
    "onnx/decoder_model_merged.onnx": decoder(),
  };
}
