/** Takes out `#` comments: whole lines, and from a `#` to the end of its line; each leaves one newline. */
export function stripComments(prompt: string): string {
  return prompt.replaceAll(/(?:^|\n)#[^\n]*(?:\n|$)/g, "\n").replaceAll(/#[^\n]*(?:\n|$)/g, "\n");
}
