/** What the records of a cached model say, as schemas: read back only through these. */
import * as v from "valibot";

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const storage = v.picklist(["f32", "f16", "q8", "q4"]);

/** Where a model came from, for the list and for going on with an interrupted import. */
const originSchema = v.variant("kind", [
  v.object({ kind: v.literal("file"), name: text }),
  v.object({ kind: v.literal("folder"), name: text }),
  /** What the person pasted, and which of the repository's offers they took ("" is the folder as a whole). */
  v.object({ kind: v.literal("remote"), reference: text, choice: v.optional(text) }),
]);
export type Origin = v.InferOutput<typeof originSchema>;

/** The first record. */
const beginningSchema = v.object({
  title: text,
  /** A checkpoint, or a VAE to go with others. */
  kind: v.picklist(["model", "vae"]),
  storage,
  family: text,
  prediction: v.picklist(["epsilon", "v"]),
  parameters: count,
  sourceBytes: count,
  /** Of a chunk, about: how far an interrupted import came is counted in these. */
  chunkBytes: count,
  origin: originSchema,
  /** Of the chunk plan: another program version may cut differently. */
  planHash: text,
  startedAt: count,
});
export type Beginning = v.InferOutput<typeof beginningSchema>;

const chunkSchema = v.object({
  chunk: count,
  /** One checksum per piece. */
  sums: v.array(text),
  /** Digests of the files that are complete, and the state of the hash inside the present one (base64). */
  hashed: v.array(text),
  state: text,
});

/** `[offset, first row, rows, checksum]` */
const pieceSchema = v.tuple([count, count, count, text]);
export type PieceRecord = v.InferOutput<typeof pieceSchema>;

const indexSchema = v.object({
  ...beginningSchema.entries,
  /** SHA-256 of the checkpoint file; of a folder: of its files' hashes. */
  sha256: text,
  files: v.array(v.object({ name: text, size: count, sha256: text })),
  finishedAt: count,
  /** What the header said that shapes cannot tell. */
  config: v.optional(text),
  tensors: v.array(
    v.object({ key: text, shape: v.array(count), type: storage, pieces: v.array(pieceSchema) }),
  ),
});
export type PackIndex = v.InferOutput<typeof indexSchema>;

function parser<S extends v.GenericSchema>(schema: S): (json: string) => v.InferOutput<S> | undefined {
  return (json) => {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      return undefined;
    }
    const result = v.safeParse(schema, value);
    return result.success ? result.output : undefined;
  };
}

export const parseBeginning = parser(beginningSchema);
export const parseChunk = parser(chunkSchema);
export const parseIndex = parser(indexSchema);
