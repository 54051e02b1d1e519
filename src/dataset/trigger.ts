/** The trigger word in captions. */
import { byCaptionLine, captionLines } from "./captionLines";

/** Whether a caption says the word, as a word of its own or inside another; one of several lines in each of them. */
export function hasTrigger(trigger: string, caption: string): boolean {
  const word = trigger.trim().toLowerCase();
  const lines = captionLines(caption);
  return (lines.length > 0 ? lines : [""]).every((line) => line.toLowerCase().includes(word));
}

/** The caption with the trigger word in front of every line that lacks it: what a picture is trained with. */
export function withTrigger(trigger: string, caption: string): string {
  const word = trigger.trim();
  if (!word) return caption.trim();
  return byCaptionLine(caption, (line) => {
    if (hasTrigger(word, line)) return line;
    return line ? `${word}, ${line}` : word;
  });
}
