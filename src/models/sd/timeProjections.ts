/**
 * Every residual block adds its own projection of the time embedding to its channels. All of them read the same vector,
 * so they are one matmul whose columns the blocks pick from.
 */
import { invariant } from "../../base/errors";
import { linear } from "../../engine/ops/linear";
import type { Tensor } from "../../engine/tensor";
import type { UnetConfig } from "../../formats/checkpoint/config";
import type { ModelScope } from "../scope";

export interface TimeProjections {
  /** `[batch, channels of all blocks]` */
  readonly values: Tensor;
  /** First column of a block, by its path under the UNet, e.g. `input_blocks.1.0`. */
  readonly columnOf: (path: string) => number;
}

/** @param embedding SiLU of the time embedding `[batch, width]` */
export function timeProjections(root: ModelScope, config: UnetConfig, embedding: Tensor): TimeProjections {
  const columns = new Map<string, number>();
  let total = 0;
  const blocks = residualBlocks(config);
  for (const { path, width } of blocks) {
    columns.set(root.at(path).name, total);
    total += width;
  }
  const keys = (suffix: string) =>
    blocks.map(({ path }) => `${root.at(path).at("emb_layers").at(1).prefix}${suffix}`);
  const weight = root.graph.weight({
    keys: keys("weight"),
    layout: "matrix",
    shape: [total, embedding.shape.at(-1) ?? 0],
  });
  const bias = root.graph.weight({ keys: keys("bias"), layout: "vector", shape: [total] });
  const values = linear(root.graph, "time_projections", embedding, weight, { bias });
  const columnOf = (path: string) => {
    const column = columns.get(path);
    invariant(column !== undefined, () => `${path} is no residual block`);
    return column;
  };
  return { values, columnOf };
}

/** Paths and output channels of all residual blocks, in the checkpoint's order. */
function residualBlocks({
  channels,
  resBlocks,
  transformerDepthMiddle,
}: UnetConfig): { path: string; width: number }[] {
  const blocks: { path: string; width: number }[] = [];
  let index = 1;
  channels.forEach((width, level) => {
    for (let i = 0; i < resBlocks; i++) blocks.push({ path: `input_blocks.${index++}.0`, width });
    if (level < channels.length - 1) index++;
  });
  const widest = channels.at(-1) ?? 0;
  blocks.push({ path: "middle_block.0", width: widest });
  blocks.push({ path: `middle_block.${transformerDepthMiddle === 0 ? 1 : 2}`, width: widest });
  index = 0;
  for (const width of [...channels].reverse()) {
    for (let i = 0; i <= resBlocks; i++) blocks.push({ path: `output_blocks.${index++}.0`, width });
  }
  return blocks;
}
