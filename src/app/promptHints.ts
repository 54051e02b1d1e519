/** One-line advice about the usual mistakes with LoRAs in a prompt. */
import { withoutTags, type LoraTag } from "./promptTags";

/** Above this most LoRAs distort the picture. */
const strongFrom = 0.9;
const manyFrom = 4;

export function promptHints(
  prompt: string,
  tags: LoraTag[],
  available: string[],
  loras: { name: string; trigger: string }[],
): string[] {
  const hints: string[] = [];
  for (const tag of tags) {
    if (!available.includes(tag.name))
      hints.push(`There is no LoRA named "${tag.name}" here. Check the spelling or remove the tag.`);
    else if (tag.strength > strongFrom)
      hints.push(`${tag.name} at ${tag.strength}: above ${strongFrom} pictures often get distorted.`);
    const trigger = loras.find((lora) => lora.name === tag.name)?.trigger ?? "";
    if (trigger && !withoutTags(prompt).toLowerCase().includes(trigger.toLowerCase()))
      hints.push(`${tag.name} listens to its trigger word "${trigger}".`);
  }
  if (tags.length >= manyFrom) hints.push("More than three LoRAs at once usually fight one another.");
  return hints;
}
