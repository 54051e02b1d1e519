/** A WD14-shaped tagger in small: pictures as such models want them, tags that tell red, green and blue pictures apart. */
import { onnxModel } from "../lib/onnxModel";

const side = 64;

/** Rows of `selected_tags.csv`: id, name, category, count; and how blue, green, red (0…255) and a bias weigh. */
const rows: readonly [number, string, number, number, readonly number[]][] = [
  [9999999, "general", 9, 100, [0, 0, 0, 2]],
  [9999998, "explicit", 9, 100, [0, 0, 0, -4]],
  [1, "red_theme", 0, 90, [-0.02, -0.02, 0.05, -1]],
  [2, "green_theme", 0, 80, [-0.02, 0.05, -0.02, -1]],
  [3, "blue_theme", 0, 70, [0.05, -0.02, -0.02, -1]],
  [4, "^_^", 0, 60, [0, 0, 0, 1]],
  [5, "pixel_art", 0, 50, [0, 0, 0, 1.5]],
  [6, "weft_(mascot)", 4, 10, [0, 0, 0, 2.5]],
];

/** Numbers that make the file take 12 MB: more than one request brings. */
export const onnxPadding = 3_000_000;

/** @param padding numbers in the file that nothing uses */
export function tinyTagger(padding = 0): { model: Uint8Array; tags: string } {
  const count = rows.length;
  const weight = Float32Array.from(
    { length: 3 * count },
    (_, i) => rows[i % count]?.[4][Math.floor(i / count)] ?? 0,
  );
  const bias = Float32Array.from(rows, (row) => row[4][3] ?? 0);
  const model = onnxModel({
    inputs: { input: ["N", side, side, 3] },
    weights: {
      weight: { dims: [3, count], data: weight },
      bias: { dims: [count], data: bias },
      ...(padding > 0 && { padding: { dims: [padding], data: new Float32Array(padding) } }),
    },
    nodes: [
      { type: "ReduceMean", inputs: ["input"], output: "colour", attributes: { axes: [1, 2], keepdims: 0 } },
      { type: "MatMul", inputs: ["colour", "weight"], output: "weighed" },
      { type: "Add", inputs: ["weighed", "bias"], output: "logits" },
      { type: "Sigmoid", inputs: ["logits"], output: "output" },
    ],
    outputs: { output: ["N", count] },
  });
  const lines = rows.map(([id, name, category, uses]) => [id, name, category, uses].join(","));
  return { model, tags: `tag_id,name,category,count\n${lines.join("\n")}\n` };
}
