/** Issue 6: WD14 preprocessing equals its reference (OpenCV and Pillow) on five pictures to 1/255. */
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { Pixels } from "../../dataset/pixels";
import { channelsFirstTaggerInput, padToSquare, taggerInput } from "./preprocess";

const side = 448;

async function read(name: string): Promise<Pixels> {
  const file = new URL(`./golden/${name}.png`, import.meta.url).pathname;
  const { data, info } = await sharp(file)
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: 4 };
}

describe.each(["landscape", "portrait", "small-alpha", "palette-alpha", "grey-alpha"])("%s", (name) => {
  test("equals the reference to 1/255", async () => {
    const [source, { data: expected }] = [await read(name), await read(`${name}.expected`)];
    const input = taggerInput(source, side);
    let worst = 0;
    for (let i = 0; i < side * side; i++)
      for (let c = 0; c < 3; c++)
        worst = Math.max(worst, Math.abs((input[3 * i + c] ?? 0) - (expected[4 * i + 2 - c] ?? 0)));
    expect(worst).toBeLessThanOrEqual(1);
  });
});

test("an odd pixel of padding goes right and below", () => {
  const column = { data: new Uint8Array(4 * 3), width: 1, height: 4, channels: 3 as const };
  const { data } = padToSquare(column);
  expect([...data.subarray(0, 12)]).toEqual([255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
});

test("channels first: the same values in planes, -1 to 1", async () => {
  const source = await read("small-alpha");
  const [rows, planes] = [taggerInput(source, 32), channelsFirstTaggerInput(source, 32)];
  const at = 32 * 17 + 5;
  for (let c = 0; c < 3; c++)
    expect(planes[c * 1024 + at]).toBeCloseTo((rows[at * 3 + c] ?? 0) / 127.5 - 1, 6);
});
