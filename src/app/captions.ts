/** The text a picture is trained with. */

/** The caption's first line with the trigger word in front, unless it has it already. */
export function finalCaption(trigger: string, caption: string): string {
  const word = trigger.trim();
  const text = caption.trim().split("\n", 1)[0]?.trim() ?? "";
  if (!word || text.toLowerCase().includes(word.toLowerCase())) return text;
  return text ? `${word}, ${text}` : word;
}
