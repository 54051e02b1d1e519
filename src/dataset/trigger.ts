/** The trigger word in captions. */

/** Whether a caption says the word, as a word of its own or inside another. */
export function hasTrigger(trigger: string, caption: string): boolean {
  return caption.toLowerCase().includes(trigger.trim().toLowerCase());
}

/** The caption with the trigger word in front, unless it has it already: what a picture is trained with. */
export function withTrigger(trigger: string, caption: string): string {
  const word = trigger.trim();
  const text = caption.trim();
  if (!word || hasTrigger(word, text)) return text;
  return text ? `${word}, ${text}` : word;
}
