import { describe, expect, it } from "vitest";
import { areaResize } from "./areaResize";
import golden from "./golden/resize.json";
import { bicubicResize, lanczosResize } from "./pillowResize";
import type { Pixels } from "./pixels";
import { prepareForTraining, prepareMask, trainingResize } from "./prepare";

/** The same pictures as golden/makeResize.py. */
function picture(kind: string, width: number, height: number): Pixels {
  const value = (x: number, y: number, c: number) =>
    kind === "rough"
      ? ((x * 7 + y * 13 + c * 29) * (x + 3 * y + 1)) & 255
      : Math.floor(127.5 + 60 * Math.sin(x / 5 + c) + 60 * Math.cos(y / 7 - c));
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    data[i] = value(pixel % width, Math.floor(pixel / width), i % 3);
  }
  return { data, width, height, channels: 3 };
}

const resizes: Record<string, typeof areaResize> = {
  area: areaResize,
  lanczos: lanczosResize,
  bicubic: bicubicResize,
};

describe.each(golden.cases)("$method $source to $target of a $picture picture", (c) => {
  const [width = 0, height = 0] = c.target;
  const source = picture(c.picture, c.source[0] ?? 0, c.source[1] ?? 0);
  const expected = Uint8Array.from(atob(c.rgb), (character) => character.charCodeAt(0));
  const result = resizes[c.method]?.(source, width, height) ?? source;

  it("equals the reference, but for rounding of exact halves", () => {
    const differences = expected.map((v, i) => Math.abs(v - (result.data[i] ?? 0)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
    expect(differences.filter((d) => d > 0).length / differences.length).toBeLessThanOrEqual(
      c.method === "area" ? 0.01 : 0,
    );
  });
});

it.each(golden.cases.filter((c) => c.method !== "bicubic"))(
  "training resizes $source to $target by $method",
  (c) => {
    const source = picture(c.picture, c.source[0] ?? 0, c.source[1] ?? 0);
    const [width = 0, height = 0] = c.target;
    expect(trainingResize(source, [width, height])).toEqual(resizes[c.method]?.(source, width, height));
  },
);

it("resizes alpha like any other channel", () => {
  const { data, width, height } = picture("rough", 24, 18);
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++)
    rgba.set([data[3 * i] ?? 0, 7, data[3 * i + 1] ?? 0, data[3 * i + 2] ?? 0], 4 * i);
  for (const [w, h] of [
    [12, 9],
    [10, 8],
    [30, 40],
  ] as const) {
    const four = trainingResize({ data: rgba, width, height, channels: 4 }, [w, h]).data;
    const three = trainingResize({ data, width, height, channels: 3 }, [w, h]).data;
    const picked = four.filter((_, i) => i % 4 !== 1);
    expect(picked).toEqual(three);
    expect(four.filter((v, i) => i % 4 === 1 && v !== 7).length).toBe(0);
  }
});

it("prepares a picture: on white, resized, cropped from the middle", () => {
  const width = 200;
  const height = 100;
  const data = new Uint8Array(width * height * 4); // transparent black, a red middle
  for (let y = 0; y < height; y++)
    for (let x = 90; x < 110; x++) data.set([255, 0, 0, 255], (y * width + x) * 4);
  const settings = { resolution: [64, 64], minSize: 64, maxSize: 64, step: 64, noUpscale: false } as const;
  const { data: out, ...size } = prepareForTraining({ data, width, height, channels: 4 }, settings);
  expect(size).toEqual({ width: 64, height: 64, channels: 3 });
  const at = (x: number) => [...out.subarray((32 * 64 + x) * 3, (32 * 64 + x) * 3 + 3)];
  expect(at(0)).toEqual([255, 255, 255]);
  expect(at(32)).toEqual([255, 0, 0]);
});

it("a mask is cut as its picture is, wherever the crop lies", () => {
  const [width, height] = [90, 40];
  const settings = { resolution: [64, 64] as const, minSize: 64, maxSize: 64, step: 64, noUpscale: false };
  // What is opaque is white on black: mask and picture must stay equal.
  const mask = Uint8Array.from({ length: width * height }, (_, i) => (i % width > 60 ? 255 : i % 7));
  const data = Uint8Array.from({ length: 3 * mask.length }, (_, i) => mask[Math.floor(i / 3)] ?? 0);
  for (const crop of [undefined, { x: 0, y: 0.5 }, { x: 1, y: 0.5 }]) {
    const picture = prepareForTraining({ data, width, height, channels: 3 }, settings, { crop });
    const cut = prepareMask(mask, [width, height], settings, crop);
    expect(cut).toHaveLength(64 * 64);
    expect([...cut]).toEqual([...picture.data].filter((_, i) => i % 3 === 0));
  }
});
