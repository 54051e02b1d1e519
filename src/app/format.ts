/** Numbers as people read them. */

const units = ["bytes", "KB", "MB", "GB", "TB"];

/** `4265146304` → "4.0 GB" (1024-based, as file managers show memory). */
export function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? ""}`;
}

/** Seconds → "45 s", "9 min", "2 h 10 min". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "unknown";
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`;
}

/** Three significant digits at most, never an exponent: "0.0832", "1.3", "120". */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "–";
  return new Intl.NumberFormat("en", { maximumSignificantDigits: digits, useGrouping: false }).format(value);
}

/** "1.3 s/step". */
export function formatStepTime(seconds: number): string {
  return seconds > 0 ? `${formatNumber(seconds, 2)} s/step` : "measuring";
}

/** Images per second at `batchSize`: "0.8 images/s". */
export function formatRate(secondsPerStep: number, batchSize: number): string {
  return secondsPerStep > 0 ? `${formatNumber(batchSize / secondsPerStep, 2)} images/s` : "";
}

/** "1 picture", "38 pictures". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Milliseconds since 1970 → date and time as this browser's language writes them. */
export function formatDate(time: number): string {
  return dates.format(time);
}
