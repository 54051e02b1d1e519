import { expect, test } from "vitest";
import { findPath, relativePaths } from "./modelFiles";

test("a chosen folder may have any name", () => {
  expect(relativePaths(["m/config.json", "m/onnx/a.onnx"])).toEqual(["config.json", "onnx/a.onnx"]);
  expect(relativePaths(["model.onnx", "tags.csv"])).toEqual(["model.onnx", "tags.csv"]);
  expect(relativePaths(["a/b/model.onnx"])).toEqual(["model.onnx"]);
  expect(relativePaths([])).toEqual([]);
});

test.each([
  ["image.onnx", ["vision_model_fp16.onnx", "text_model.onnx"], "vision_model_fp16.onnx"],
  ["text.onnx", ["onnx/vision_model.onnx", "onnx/text_model.onnx"], "onnx/text_model.onnx"],
  ["model.onnx", ["wd-vit.onnx", "selected_tags.csv"], "wd-vit.onnx"],
  ["selected_tags.csv", ["wd-vit.onnx", "tags v3.csv"], "tags v3.csv"],
  ["onnx/encoder_model_q4.onnx", ["encoder_model_q4.onnx"], "encoder_model_q4.onnx"],
  ["config.json", ["x/config.json", "config.json"], "config.json"],
  ["model.onnx", ["a.onnx", "b.onnx"], undefined],
  ["onnx/encoder_model_q4.onnx", ["onnx/encoder_model.onnx"], undefined],
])("%s among %j", (path, paths, expected) => expect(findPath(path, paths)).toBe(expected));
