import { expect, it } from "vitest";
import { latentMask } from "./latentMask";

it("a latent pixel counts as much as the mean of its 8 × 8 pixels", () => {
  const [width, height] = [24, 16];
  const mask = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    // The first block whole, the second half, of the last one a single pixel.
    return x < 8 || (x < 16 && y % 2 === 0) || (x === 23 && y === 15) ? 255 : 0;
  });
  expect([...latentMask(mask, width, height, 255)]).toEqual([1, 0.5, 0, 1, 0.5, 1 / 64]);
});
