/**
 * sd-scripts' cleaning of tags (`clean_captions_and_tags`), rule by rule: with several people in the picture, details
 * that it names more than once belong to nobody in particular; and a noun says nothing beside a longer tag that ends
 * with it.
 */
const word = "[\\p{L}\\p{N}_]";
const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, "u");

const hairLength = whole("(?:long|short|medium) hair");
const hairColour = whole(`(?:${word}|-)+ hair`);

/** Of each kind, two or more are dropped together when there are several people. */
const detailsOfOne: readonly RegExp[] = [
  hairLength,
  whole("(?:bob|hime) cut"),
  whole(`(?:${word}|-)+ eyes`),
  whole(`(?:${word}|-)+ sleeves|sleeveless`),
  whole(
    `ponytail|braid|ahoge|twintails|(?:${word}|-)+ bun|single hair bun|single side bun|two side up|two tails|(?:${word}|-)+ braid|sidelocks`,
  ),
];

const noun = whole(`(?:${word}|-)+|hair ornament`);

function dropIfSeveral(tags: readonly string[], matches: (tag: string) => boolean): string[] {
  return tags.filter(matches).length > 1 ? tags.filter((tag) => !matches(tag)) : [...tags];
}

/** @param tags with spaces instead of underscores, without a rating. */
export function cleanTags(tags: readonly string[]): string[] {
  let kept = [...tags];
  if (kept.some((tag) => tag.includes("girls") || tag.includes("boys"))) {
    for (const kind of detailsOfOne) kept = dropIfSeveral(kept, (tag) => kind.test(tag));
    kept = dropIfSeveral(kept, (tag) => hairColour.test(tag) && !hairLength.test(tag));
  }
  const endsWithMore = (end: string): boolean =>
    kept.some((tag) => tag.endsWith(` ${end}`) && whole(`(?:${word}+ )+`).test(tag.slice(0, -end.length)));
  for (const tag of kept.filter((candidate) => noun.test(candidate)))
    if (endsWithMore(tag)) kept = kept.filter((other) => other !== tag);
  return kept;
}
