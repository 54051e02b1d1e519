import { expect, it } from "vitest";
import { lintWgsl } from "./wgslLint";

const rulesOf = (source: string) => lintWgsl(source).map(({ rule }) => rule);
const inMain = (body: string) => `@compute @workgroup_size(64)\nfn main() {\n${body}\n}\n`;
const inLoop = (body: string) => inMain(`for (var k = 0u; k < P.count; k++) {\n${body}\n}`);

it.each([
  ["loop-var", inLoop("var sum: vec4f;")],
  ["loop-var", inLoop("if (k > 1u) { var tile: array<f32, 4>; }")],
  ["mask-index", inMain("shared_tile[lid & 7u] = 1f;")],
  ["self-compare", inMain("if (norm != norm) { x = 0f; }")],
  ["tanh", inMain("let y = tanh(x);")],
  ["uniformity-off", "diagnostic(off, subgroup_uniformity);\n"],
  ["zero-division", inMain("let infinite = 1f / 0f;")],
  ["zero-division", inMain("let infinite = 1.0 / 0.0;")],
  ["dynamic-index", inMain("var acc = array<f32, 8>();\nacc[lid.x] = 1f;")],
  ["dynamic-index", inLoop("var acc: array<f32, 8> = array<f32, 8>();\nacc[k] = 1f;")],
])("finds %s", (rule, source) => expect(rulesOf(source)).toEqual([rule]));

it.each([
  ["a var with a value in a loop", inLoop("var sum = vec4f();")],
  ["a var outside of loops", inMain("var sum: f32;")],
  ["a shared array with % and a constant", inMain("shared_tile[lid.x % 8u] = 1f;")],
  ["different values", inMain("if (a.x != a.y || b == b2 || c == c(1)) { x = 0f; }")],
  ["a division by a number", inMain("let half = 1f / 0.5f;")],
  [
    "an array indexed by a constant loop",
    inMain("var a = array<f32, N>();\nfor (var i = 0u; i < N; i++) { a[i] = 0f; }"),
  ],
  ["an array indexed by unrolled text", inMain("var a = array<f32, 8>();\n#for i 8\na[$i] = 0f;\n#end")],
  ["comments", inMain("// tanh(x) is 1f / 0f\n/* x != x */")],
])("accepts %s", (_, source) => expect(rulesOf(source)).toEqual([]));

it("takes an exception with a reason where it stands", () => {
  expect(rulesOf(inMain("let y = tanh(x); // lint-ok tanh: |x| ≤ 1"))).toEqual([]);
  expect(rulesOf(inMain("// lint-ok tanh: |x| ≤ 1\nlet y = tanh(x);"))).toEqual([]);
  const array =
    "// lint-ok dynamic-index: once\nvar a = array<f32, 2>(\n1f, 2f);\n\na[lid.x] = 0f;\na[lid.y] = 0f;";
  expect(rulesOf(inMain(array))).toEqual([]);
  expect(rulesOf(inMain("let y = tanh(x); // lint-ok mask-index: no"))).toEqual(["tanh"]);
});

it("names the line", () => {
  expect(lintWgsl("fn f() {\n\n  let y = tanh(1f);\n}")).toMatchObject([{ line: 3, rule: "tanh" }]);
});
