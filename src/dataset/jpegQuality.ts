/** How strongly a JPEG was compressed when it was last saved, from its quantisation table (ITU T.81 B.2.4.1 and annex K). */

/** Annex K's luminance table in zigzag order: what quality 50 means to most encoders. */
const standard = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58,
  51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103,
  62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
];

/** The 64 steps of table 0, in zigzag order. */
function luminanceTable(head: Uint8Array): number[] | undefined {
  let at = 2;
  while (at + 4 <= head.length && head[at] === 0xff) {
    const marker = head[at + 1];
    const length = ((head[at + 2] ?? 0) << 8) | (head[at + 3] ?? 0);
    if (marker === 0xdb) {
      const table = tableIn(head.subarray(at + 4, at + 2 + length));
      if (table) return table;
    }
    if (marker === 0xda || length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

/** A segment may hold several tables, of 8 or 16 bits. */
function tableIn(segment: Uint8Array): number[] | undefined {
  for (let at = 0; at < segment.length;) {
    const wide = (segment[at] ?? 0) >> 4 ? 2 : 1;
    const isFirst = ((segment[at] ?? 0) & 15) === 0;
    const values = segment.subarray(at + 1, at + 1 + 64 * wide);
    if (values.length < 64 * wide) return undefined;
    if (isFirst)
      return Array.from({ length: 64 }, (_, i) =>
        wide === 1 ? (values[i] ?? 0) : ((values[2 * i] ?? 0) << 8) | (values[2 * i + 1] ?? 0),
      );
    at += 1 + 64 * wide;
  }
  return undefined;
}

/**
 * The quality setting, 1…100, of an encoder with the usual tables that would compress as much.
 * @param head the file's first bytes. @returns undefined when it is no JPEG, or its table lies further on
 */
export function jpegQuality(head: Uint8Array): number | undefined {
  if (head[0] !== 0xff || head[1] !== 0xd8) return undefined;
  const table = luminanceTable(head);
  if (!table) return undefined;
  const scale = table.reduce((sum, step, i) => sum + (100 * step) / (standard[i] ?? 1), 0) / 64;
  return Math.round(Math.min(100, Math.max(1, scale <= 100 ? 100 - scale / 2 : 5000 / scale)));
}
