/** Solves A x = b for a small square A (rows) by Gauss-Jordan elimination with row pivoting. */
export function linearSolve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i] ?? 0]);
  for (let column = 0; column < rows.length; column++) {
    const size = (row: number[] | undefined) => Math.abs(row?.[column] ?? 0);
    const below = rows.slice(column).sort((p, q) => size(q) - size(p));
    rows.splice(column, below.length, ...below);
    const pivot = (rows[column] ?? []).map((value, _, row) => value / (row[column] ?? NaN));
    rows.forEach((row, i) => {
      const factor = row[column] ?? 0;
      rows[i] = i === column ? pivot : row.map((value, k) => value - factor * (pivot[k] ?? 0));
    });
  }
  return rows.map((row) => row.at(-1) ?? NaN);
}
