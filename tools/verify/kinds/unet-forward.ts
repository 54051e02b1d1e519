/** Golden kind `unet-forward`: latents, timesteps and text states → the raw prediction. */
import { channelsFirst, channelsLast } from "../../../src/base/layout";
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel } from "../gpu/goldenModel";
import { goldenConditions } from "../gpu/goldenSizes";
import type { VerifyKind } from "../types";

export const kind: VerifyKind = {
  name: "unet-forward",
  run: async (c, env) => {
    const model = await goldenModel(c, env);
    const [x, t, context, expected] = [
      await floats(c, "x"),
      await floats(c, "t"),
      await floats(c, "context"),
      await floats(c, "eps"),
    ];
    const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
    const unet = await model.unet({ batch, height, width, tokens: context.shape[1] ?? 0 });
    const prediction = await unet.predict(
      channelsLast(x.data, batch, channels, height * width),
      [...t.data],
      await goldenConditions(c, model, { batch, height, width }),
    );
    const checks = new Checks();
    checks.close(
      "eps",
      channelsFirst(prediction, batch, channels, height * width),
      expected.data,
      toleranceOf(c.case),
    );
    return checks.outcome();
  },
};
