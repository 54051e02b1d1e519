/** The UNet's residual block: norm, SiLU, conv, time embedding, norm, SiLU, conv, shortcut. */
import { conv3x3 } from "../../engine/ops/conv3x3";
import { groupNorm } from "../../engine/ops/groupNorm";
import { channels, type Tensor } from "../../engine/tensor";
import type { ModelScope } from "../scope";
import type { UnetBlockContext } from "./unet";

/** @param x `[batch, height, width, channels]`; gives `[batch, height, width, width]` channels. */
export function residualBlock(
  scope: ModelScope,
  { config, time }: UnetBlockContext,
  x: Tensor,
  width: number,
): Tensor {
  const { graph } = scope;
  const options = { groups: config.normGroups, eps: 1e-5, silu: true };
  const before = scope.at("in_layers");
  const after = scope.at("out_layers");
  const first = before.at(2).conv(channels(x), width);
  let h = groupNorm(graph, before.at(0).name, x, { ...before.at(0).norm(channels(x)), ...options });
  h = conv3x3(graph, before.at(2).name, h, {
    ...first,
    rowVector: time.values,
    rowOffset: time.columnOf(scope.name),
  });
  h = groupNorm(graph, after.at(0).name, h, { ...after.at(0).norm(width), ...options });
  const second = after.at(3).conv(width, width);
  const shortcut =
    channels(x) === width ? x : scope.at("skip_connection").keeping("careful").linear([""], x, width);
  return conv3x3(graph, after.at(3).name, h, { ...second, residual: shortcut });
}
