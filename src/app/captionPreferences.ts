/** What a person chose for captioning, kept from visit to visit. Whatever storage holds is made to fit. */
import * as v from "valibot";
import { captionerIds, captionerMeta, type CaptionerId, type CaptionModel } from "../captioning/menu";
import { fitSettings } from "../captioning/settings";
import type { CaptionerChoice, ModelSource } from "../workers/caption/api";

const captioner = v.picklist(captionerIds);

/** Where the model comes from besides the ones in the menu. */
const placeSchema = v.variant("kind", [
  v.object({ kind: v.literal("menu") }),
  v.object({ kind: v.literal("url"), address: v.string() }),
  v.object({ kind: v.literal("kept"), name: v.string() }),
]);
export type Place = v.InferOutput<typeof placeSchema>;

const perCaptionerSchema = v.object({
  model: v.fallback(v.string(), ""),
  place: v.fallback(placeSchema, { kind: "menu" }),
  settings: v.fallback(v.record(v.string(), v.unknown()), {}),
});
export type CaptionerPreferences = v.InferOutput<typeof perCaptionerSchema>;

const schema = v.object({
  captioner: v.fallback(captioner, "mini"),
  /** The interrogator's; "none" takes the caption that is there. */
  describer: v.fallback(v.union([captioner, v.literal("none")]), "none"),
  learned: v.fallback(v.picklist(["style", "character", "concept", "prompt"]), "style"),
  existing: v.fallback(v.picklist(["skip", "replace", "append", "prepend"]), "skip"),
  triggerFirst: v.fallback(v.boolean(), true),
  each: v.fallback(v.record(v.string(), perCaptionerSchema), {}),
});
export type CaptionPreferences = v.InferOutput<typeof schema>;

export function parsePreferences(stored: unknown): CaptionPreferences {
  const value = typeof stored === "object" && stored !== null ? stored : {};
  return v.parse(schema, value);
}

export function preferencesOf({ each }: CaptionPreferences, id: CaptionerId): CaptionerPreferences {
  return each[id] ?? { model: "", place: { kind: "menu" }, settings: {} };
}

/** The model of a captioner that is chosen, else its first. */
export function modelOf(preferences: CaptionPreferences, id: CaptionerId): CaptionModel | undefined {
  const { models } = captionerMeta(id);
  return models.find((model) => model.id === preferencesOf(preferences, id).model) ?? models[0];
}

/** Settings of a captioner: the person's, where they touched them, else the model's, else the captioner's. */
export function settingsOf(preferences: CaptionPreferences, id: CaptionerId) {
  const model = modelOf(preferences, id);
  const { settings } = preferencesOf(preferences, id);
  return fitSettings(captionerMeta(id).fields, { ...model?.settings, ...settings });
}

/** Name under which the browser keeps a model's files; the worker's, for models on the hub. */
export function keptName(model: CaptionModel): string | undefined {
  return model.from.kind === "hub" ? `${model.from.repo}@${model.from.revision}` : undefined;
}

/** @throws nothing: an unknown model becomes the captioner's first */
export function choiceOf(preferences: CaptionPreferences, id: CaptionerId): CaptionerChoice {
  const model = modelOf(preferences, id);
  const { place } = preferencesOf(preferences, id);
  const source: ModelSource =
    place.kind === "menu" ? (model?.from ?? { kind: "kept", name: ownName(id) }) : place;
  const files = place.kind === "kept" ? {} : (model?.files ?? {});
  return { captioner: id, source, files, settings: settingsOf(preferences, id) };
}

/** Under which name the files that a person chose for a captioner are kept. */
export function ownName(id: CaptionerId): string {
  return `own ${id}`;
}
