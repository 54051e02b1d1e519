/** Token rows on their way to the text encoders of a family. */
import type { GraphBuilder } from "../../engine/graph";
import type { Tensor } from "../../engine/tensor";
import type { CheckpointConfig } from "../../formats/checkpoint/config";
import { CLIP_EOS, CLIP_LENGTH } from "../../formats/tokenizer/clipTokenizer";
import type { ModelFamily, TextOperands } from "../family";

/** Declares the inputs of a batch of texts. */
export function declareText(
  graph: GraphBuilder,
  family: ModelFamily,
  config: CheckpointConfig,
  batch: number,
): TextOperands {
  const ids = family.padTokens.map((_, encoder) =>
    graph.input(idsName(encoder), [batch, CLIP_LENGTH], "u32"),
  );
  if (family.pooledWidth(config) === 0) return { ids };
  return { ids, ends: graph.input("ends", [batch], "u32") };
}

/** The same inputs by the names that {@link textInputs} uses. */
export function namedText({ ids, ends }: TextOperands): Map<string, Tensor> {
  const named = new Map(ids.map((tensor, encoder) => [idsName(encoder), tensor]));
  if (ends) named.set("ends", ends);
  return named;
}

/**
 * What to write to the inputs.
 * @param rows token ids `[77]` of each text, start and end included; what follows the first end token is replaced by each
 *   encoder's own padding
 */
export function textInputs(
  { padTokens }: ModelFamily,
  rows: readonly (readonly number[])[],
): Map<string, Uint32Array<ArrayBuffer>> {
  const values = new Map(
    padTokens.map((pad, encoder) => [
      idsName(encoder),
      Uint32Array.from(rows.flatMap((row) => padded(row, pad === "zero" ? 0 : CLIP_EOS))),
    ]),
  );
  return values.set("ends", Uint32Array.from(rows.map(endOf)));
}

function idsName(encoder: number): string {
  return encoder === 0 ? "ids" : `ids${encoder + 1}`;
}

/** Position of the first end token. */
function endOf(row: readonly number[]): number {
  const end = row.indexOf(CLIP_EOS);
  return end < 0 ? row.length - 1 : end;
}

function padded(row: readonly number[], pad: number): number[] {
  const end = endOf(row);
  return row.map((id, position) => (position > end ? pad : id));
}
