/**
 * What is kept of every picture, as a schema: records of older versions are filled up, damaged optional parts are
 * dropped, and only a record without its essentials is refused.
 */
import * as v from "valibot";

const text = v.string();
const number = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(number, v.minValue(0), v.maxValue(1));

/** An optional part that is dropped, not fatal, when it makes no sense. */
function extra<S extends v.GenericSchema>(schema: S) {
  return v.fallback(v.optional(schema), undefined);
}

const imageSchema = v.object({
  /** Also the key of its original and its thumbnail, which a duplicated dataset shares. */
  id: text,
  /** File name as the person knows it, with its folder. */
  name: text,
  width: count,
  height: count,
  bytes: count,
  /** One line, or several for wildcard training; a run without wildcards takes the first line. */
  caption: v.fallback(text, ""),
  captionSource: v.fallback(v.picklist(["file", "folder", "none", "person", "captioner"]), "none"),
  repeats: v.fallback(v.pipe(count, v.minValue(1)), 1),
  notes: v.fallback(v.array(text), []),
  /** Order in the dataset. */
  order: v.fallback(number, 0),
  /** What a captioner wrote last, to compare the caption with. */
  autoCaption: extra(text),
  /** The caption file as it came, so that a caption nobody touched goes out byte for byte. */
  captionFile: extra(v.object({ extension: text, bytes: v.instance(Uint8Array), caption: text })),
  /** Point to keep in view when the bucket cuts the picture, in shares of its width and height. */
  crop: extra(v.object({ x: share, y: share })),
  /** Caption files with other endings beside the one that is used; kept for the export. */
  otherCaptions: extra(v.array(v.object({ extension: text, bytes: v.instance(Uint8Array) }))),
  /** What the doctor judges by; computed once, at import. */
  look: extra(
    v.object({ hash: text, colours: text, blur: number, blockiness: number, quality: extra(number) }),
  ),
  /** Some of it is transparent. */
  alpha: extra(v.boolean()),
  /** In the trash since; milliseconds since 1970. */
  removedAt: extra(number),
});
export type ImageRecord = v.InferOutput<typeof imageSchema>;

/** What {@link ImageEdit}s may change; the rest belongs to the file. */
const editableFields = {
  name: true,
  caption: true,
  captionSource: true,
  repeats: true,
  notes: true,
  autoCaption: true,
  captionFile: true,
  crop: true,
  removedAt: true,
} as const satisfies Partial<Record<keyof ImageRecord, true>>;
type EditableField = keyof typeof editableFields;

/** New values of some fields; `undefined` takes an optional one away. */
export type ImageValues = { [K in EditableField]?: ImageRecord[K] | undefined };
export type ImageEdit = { id: string } & ImageValues;

/** @returns undefined for a value that cannot be a picture's record. */
export function parseImage(value: unknown): ImageRecord | undefined {
  const result = v.safeParse(imageSchema, value);
  return result.success ? result.output : undefined;
}

/** The record with `values` put in. A value that the schema refuses leaves the record as it was. */
export function withValues(image: ImageRecord, values: ImageValues): ImageRecord {
  return parseImage({ ...image, ...values, id: image.id }) ?? image;
}

/** The fields of `edit` that differ from the record: as they are, and as they would be. Undefined when none does. */
export function difference(
  image: ImageRecord,
  { id: _, ...values }: ImageEdit,
): { before: ImageValues; after: ImageValues } | undefined {
  const changed = Object.keys(values).filter(
    (key): key is EditableField =>
      key in editableFields && !isSame(image[key as EditableField], values[key as EditableField]),
  );
  if (changed.length === 0) return undefined;
  const pick = (source: ImageValues): ImageValues =>
    Object.fromEntries(changed.map((key) => [key, source[key]]));
  return { before: pick(image), after: pick(values) };
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
