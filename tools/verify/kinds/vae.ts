/** Golden kind `vae`: pictures → moments (and latents with given noise), latents → pictures. */
import { channelsFirst, channelsLast, concatenate } from "../../../src/base/layout";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, params } from "../gpu/goldenModel";
import type { VerifyCase, VerifyEnv, VerifyKind, VerifyOutcome } from "../types";

export const kind: VerifyKind = {
  name: "vae",
  run: (c, env) => (params(c)["op"] === "encode" ? encode(c, env) : decode(c, env)),
};

async function encode(c: VerifyCase, env: VerifyEnv): Promise<VerifyOutcome> {
  const model = await goldenModel(c, env);
  const image = await floats(c, "image");
  const [batch = 0, , height = 0, width = 0] = image.shape;
  const pixels = height * width;
  const latentPixels = pixels / 64;
  const channels = 2 * model.config.vae.latentChannels;
  const moments: Float32Array[] = [];
  for (let i = 0; i < batch; i++) {
    const one = image.data.subarray(3 * i * pixels, 3 * (i + 1) * pixels);
    const encoded = await model.encodeImage(channelsLast(one, 1, 3, pixels, 4), height, width);
    moments.push(channelsFirst(encoded, 1, channels, latentPixels));
  }
  const checks = new Checks();
  const all = concatenate(moments);
  checks.close("moments", all, (await floats(c, "moments")).data, toleranceOf(c.case));
  const tensors = await c.tensors();
  if (tensors.has("noise") && tensors.has("latents")) {
    const noise = (await floats(c, "noise")).data;
    const half = noise.length / batch;
    const latents = noise.map((n, i) => {
      const at = Math.floor(i / half) * 2 * half + (i % half);
      return (
        ((all[at] ?? 0) + Math.exp(0.5 * Math.max(-30, Math.min(20, all[at + half] ?? 0))) * n) *
        model.config.vae.scalingFactor
      );
    });
    checks.close("latents", latents, (await floats(c, "latents")).data, toleranceOf(c.case));
  }
  return checks.outcome();
}

async function decode(c: VerifyCase, env: VerifyEnv): Promise<VerifyOutcome> {
  const model = await goldenModel(c, env);
  const latents = await floats(c, "latents");
  const [batch = 0, channels = 0, height = 0, width = 0] = latents.shape;
  const pixels = height * width;
  const images: Float32Array[] = [];
  for (let i = 0; i < batch; i++) {
    const one = latents.data.subarray(channels * i * pixels, channels * (i + 1) * pixels);
    const image = await model.decodeLatents(channelsLast(one, 1, channels, pixels), height, width);
    images.push(channelsFirst(image, 1, 3, 64 * pixels, 4));
  }
  const checks = new Checks();
  checks.close("image", concatenate(images), (await floats(c, "image")).data, toleranceOf(c.case));
  return checks.outcome();
}
