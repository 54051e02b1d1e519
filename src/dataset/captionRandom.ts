/** The random numbers of a caption in a run: a function of (seed, step, place in the batch), so a resumed run draws the same. */
import { counterUniform, randomStream } from "../base/random/counter";
import type { CaptionRandom } from "./captionPlan";

/** Draws of one caption; no caption has as many tags. */
const drawsPerCaption = 65_536;

/** @param image its place in the batch of the step */
export function captionRandom(seed: number, step: number, image: number): CaptionRandom {
  let draws = 0;
  const uniform = (): number =>
    counterUniform(seed, step, randomStream.captionText, image * drawsPerCaption + draws++);
  return {
    dropout: () => counterUniform(seed, step, randomStream.caption, image),
    uniform,
    below: (n) => Math.floor(uniform() * n),
  };
}
