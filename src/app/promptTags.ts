/** `<lora:name:strength>` tags inside a prompt: found, changed and removed without touching the rest of the text. */

export interface LoraTag {
  name: string;
  strength: number;
  /** Position of the tag in the prompt. */
  start: number;
  end: number;
}

const tagPattern = /<lora:([^:<>]+)(?::([^<>]*))?>/g;

/** Tags in order. A strength that is no number counts as 1, as AUTOMATIC1111 reads it. */
export function findLoraTags(prompt: string): LoraTag[] {
  return [...prompt.matchAll(tagPattern)].map((match) => {
    const strength = Number.parseFloat(match[2] ?? "1");
    const name = match[1] ?? "";
    return {
      name,
      strength: Number.isFinite(strength) ? strength : 1,
      start: match.index,
      end: match.index + match[0].length,
    };
  });
}

/** `0.8` → "0.8", `1` → "1": two decimals at most. */
function strengthText(strength: number): string {
  return String(Math.round(strength * 100) / 100);
}

export function setLoraStrength(prompt: string, tag: LoraTag, strength: number): string {
  return `${prompt.slice(0, tag.start)}<lora:${tag.name}:${strengthText(strength)}>${prompt.slice(tag.end)}`;
}

/** Removes the tag and the spaces and comma it leaves behind. */
export function removeLoraTag(prompt: string, tag: LoraTag): string {
  const before = prompt.slice(0, tag.start).replace(/[\s,]+$/, "");
  const after = prompt.slice(tag.end).replace(/^[\s,]+/, "");
  return before && after ? `${before}, ${after}` : before + after;
}

export function addLoraTag(prompt: string, name: string, strength: number): string {
  const tag = `<lora:${name}:${strengthText(strength)}>`;
  const text = prompt.trimEnd();
  return text ? `${text} ${tag}` : tag;
}

/** The prompt without its tags, for telling whether the trigger word is there. */
export function withoutTags(prompt: string): string {
  return prompt.replace(tagPattern, "");
}

/** A name that is safe as file stem and prompt tag everywhere: letters, digits, `_` and `-`. */
export function safeName(text: string): string {
  const plain = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return plain
    .replace(/[^A-Za-z0-9_-]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 60);
}
