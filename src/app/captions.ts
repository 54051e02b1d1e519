/** The text a picture is trained with. */
import { triggeredCaption } from "../dataset/captionPlan";

/** The caption's first line with the trigger word in front, unless it has it already. */
export function finalCaption(trigger: string, caption: string): string {
  return triggeredCaption(trigger, caption, false);
}
