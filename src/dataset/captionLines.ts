/** A caption may have several lines, for wildcard training: each is a caption of its own. */

/** Lines of a caption that say something, trimmed. */
export function captionLines(caption: string): string[] {
  return caption
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** `change` of every line that says something, or of the empty caption. */
export function byCaptionLine(caption: string, change: (line: string) => string): string {
  const lines = captionLines(caption);
  return (lines.length > 0 ? lines : [""]).map(change).join("\n");
}
