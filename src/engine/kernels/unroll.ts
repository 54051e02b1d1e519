/**
 * Textual unrolling of WGSL, for kernels that keep a tile in named registers.
 *
 * Register arrays indexed by a loop variable stay registers only where a driver unrolls everything; names always do.
 *
 * ```
 * #for i 4
 *   var acc$i = vec4f();
 * #end
 * ```
 * repeats its lines with `$i` = 0, 1, 2, 3 (`$iu` = 0u, …). Variables are single letters. The count is a number or a name from `counts`; loops nest.
 */
import { InternalError } from "../../base/errors";

interface Loop {
  readonly variable: string;
  readonly count: number;
  readonly body: string[];
}

/**
 * Expands every `#for NAME COUNT` … `#end`.
 * @throws InternalError on an unknown count or an unbalanced block
 */
export function unroll(source: string, counts: Readonly<Record<string, number>> = {}): string {
  const output: string[] = [];
  const open: Loop[] = [];
  for (const line of source.split("\n")) {
    const start = /^\s*#for ([a-z]) (\w+)\s*$/.exec(line);
    if (start) {
      open.push({ variable: start[1] ?? "", count: countOf(start[2] ?? "", counts), body: [] });
    } else if (/^\s*#end\s*$/.test(line)) {
      const loop = open.pop();
      if (!loop) throw new InternalError("unroll: #end without #for");
      (open.at(-1)?.body ?? output).push(...expand(loop));
    } else {
      (open.at(-1)?.body ?? output).push(line);
    }
  }
  if (open.length > 0) throw new InternalError(`unroll: #for ${open[0]?.variable ?? ""} without #end`);
  return output.join("\n");
}

function countOf(text: string, counts: Readonly<Record<string, number>>): number {
  const count = /^\d+$/.test(text) ? Number(text) : counts[text];
  if (count === undefined) throw new InternalError(`unroll: unknown count "${text}"`);
  return count;
}

function expand({ variable, count, body }: Loop): string[] {
  const lines: string[] = [];
  for (let i = 0; i < count; i++)
    lines.push(...body.map((line) => line.replaceAll(`$${variable}`, String(i))));
  return lines;
}
