import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFiniteTensor } from "./finite";
import { readSafetensorsHeader } from "./header";
import { fromBytes } from "./source";
import { readTensor } from "./tensor";
import { writeSafetensors, type TensorToWrite } from "./write";

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe("writeSafetensors", () => {
  test("lays out bytes as the reference writer's own test expects", () => {
    const bytes = writeSafetensors(
      [{ name: "attn0", dtype: "F32", shape: [1, 1, 2, 3], bytes: floats(0, 1, 2, 3, 4, 5) }],
      new Map(),
    );
    const header = '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}';
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true))).toBe(72);
    expect(new TextDecoder().decode(bytes.subarray(8, 80))).toBe(header.padEnd(72));
    expect(bytes.subarray(80)).toEqual(floats(0, 1, 2, 3, 4, 5));
  });

  test("sorts by type, widest first, then by the bytes of the name", async () => {
    const one = (name: string, dtype: TensorToWrite["dtype"], size: number) => ({
      name,
      dtype,
      shape: [1],
      bytes: new Uint8Array(size),
    });
    const bytes = writeSafetensors(
      [
        one("z", "F16", 2),
        one("\u{1f600}", "F32", 4),
        one("\uffee", "F32", 4),
        one("b", "BF16", 2),
        one("a", "I64", 8),
      ],
      new Map(),
    );
    const { tensors } = await readSafetensorsHeader(fromBytes(bytes, "x"));
    expect([...tensors.keys()]).toEqual(["a", "\uffee", "\u{1f600}", "b", "z"]);
  });

  test("T-F2: whatever is written is read back, and the same input gives the same bytes", async () => {
    const tensor = fc.record({
      values: fc.array(fc.float({ noNaN: true }), { maxLength: 9 }),
      name: fc.string({ unit: "grapheme" }),
    });
    const property = fc.asyncProperty(
      fc.uniqueArray(tensor, { selector: (t) => t.name, minLength: 1, maxLength: 5 }),
      fc.dictionary(fc.string(), fc.string()),
      async (list, extra) => {
        const tensors = list
          .filter(({ name }) => name !== "__metadata__")
          .map(({ name, values }): TensorToWrite => ({
            name,
            dtype: "F32",
            shape: [values.length],
            bytes: floats(...values),
          }));
        fc.pre(tensors.length > 0);
        const metadata = new Map(Object.entries(extra));
        const bytes = writeSafetensors(tensors, metadata);
        expect(writeSafetensors([...tensors].reverse(), metadata)).toEqual(bytes);
        const source = fromBytes(bytes, "x");
        const header = await readSafetensorsHeader(source);
        expect(header.metadata).toEqual(metadata);
        for (const { name, bytes: original } of tensors) {
          const info = header.tensors.get(name);
          expect(info && (await readTensor(source, info, "raw"))).toEqual(original);
        }
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });
});

describe("readTensor", () => {
  const cases: [TensorToWrite["dtype"], ArrayBufferView<ArrayBuffer>, number[]][] = [
    ["F64", Float64Array.of(1.5, -2), [1.5, -2]],
    ["F32", Float32Array.of(0.1, -0), [Math.fround(0.1), -0]],
    ["F16", Uint16Array.of(0x3c00, 0x0001, 0xfc00), [1, 2 ** -24, -Infinity]],
    ["BF16", Uint16Array.of(0x3f80, 0xc000), [1, -2]],
    ["I64", BigInt64Array.of(-3n, 2n ** 40n), [-3, 2 ** 40]],
    ["U8", Uint8Array.of(0, 255), [0, 255]],
    ["I8", Int8Array.of(-1, 127), [-1, 127]],
    ["BOOL", Uint8Array.of(1, 0), [1, 0]],
  ];
  test.each(cases)("%s becomes float32 at any byte offset", async (dtype, values, expected) => {
    const raw = new Uint8Array(values.buffer);
    const pad = new Uint8Array(3); // puts the tensor at an odd offset
    const source = fromBytes(Uint8Array.of(...pad, ...raw), "x");
    const info = { name: "t", dtype, shape: [expected.length], begin: 3, end: 3 + raw.byteLength };
    expect([...(await readTensor(source, info, "f32"))]).toEqual(expected);
  });

  test("types without a meaning as float are refused by name", async () => {
    const info = { name: "t", dtype: "F8_E4M3", shape: [1], begin: 0, end: 1 } as const;
    await expect(readTensor(fromBytes(new Uint8Array(1), "m"), info, "f32")).rejects.toMatchObject({
      code: "dtype",
    });
  });

  test("a source that ends early is an error, not a short array", async () => {
    const info = { name: "t", dtype: "F32", shape: [2], begin: 0, end: 8 } as const;
    await expect(readTensor(fromBytes(new Uint8Array(4), "m"), info, "f32")).rejects.toMatchObject({
      code: "unreadable",
    });
  });
});

test("isFiniteTensor finds NaN and infinity in the stored bits", () => {
  const bytes = (values: ArrayBufferView<ArrayBuffer>) => new Uint8Array(values.buffer);
  expect(isFiniteTensor(bytes(Float32Array.of(1, -3e38)), "F32")).toBe(true);
  expect(isFiniteTensor(bytes(Float32Array.of(1, NaN)), "F32")).toBe(false);
  expect(isFiniteTensor(bytes(Float32Array.of(-Infinity)), "F32")).toBe(false);
  expect(isFiniteTensor(bytes(Uint16Array.of(0x7bff)), "F16")).toBe(true);
  expect(isFiniteTensor(bytes(Uint16Array.of(0xfc00)), "F16")).toBe(false);
  expect(isFiniteTensor(bytes(Uint16Array.of(0x7fc0)), "BF16")).toBe(false);
  expect(isFiniteTensor(bytes(Float64Array.of(NaN)), "F64")).toBe(false);
  expect(isFiniteTensor(bytes(Int32Array.of(-1)), "I32")).toBe(true);
});
