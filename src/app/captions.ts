/** The text a picture is trained with. */

/** The caption with the trigger word in front, unless it already begins with it. */
export function finalCaption(trigger: string, caption: string): string {
  const word = trigger.trim();
  const text = caption.trim();
  if (!word || text.toLowerCase().startsWith(word.toLowerCase())) return text;
  return text ? `${word}, ${text}` : word;
}
