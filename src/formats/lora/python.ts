/** Values as Python prints them, because LoRA metadata is written with `str(value)` and `json.dumps`. */

/** `True`, `False`, `None` or the text itself. */
export function pyStr(value: string | boolean | null): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return value;
}

/** A Python float's shortest text: `0.0001`, `1e-05`, `16.0`; null gives `None`. */
export function pyFloat(value: number | null): string {
  if (value === null) return "None";
  const [digits = "", exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 16) return fixed(value);
  const sign = power < 0 ? "-" : "+";
  return `${digits}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** Decimal notation without exponent, at least one decimal. JavaScript switches to exponents only below 1e-6. */
function fixed(value: number): string {
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}

/** `json.dumps` with its defaults: ", " and ": " between items, everything beyond ASCII escaped. */
export function pyJson(value: PyJson): string {
  return dump(value).replace(/[\u007f-\uffff]/g, escapeUnit);
}

export type PyJson = string | number | boolean | null | PyJson[] | Map<string, PyJson>;

function dump(value: PyJson): string {
  if (value instanceof Map)
    return `{${[...value].map(([k, v]) => `${JSON.stringify(k)}: ${dump(v)}`).join(", ")}}`;
  if (Array.isArray(value)) return `[${value.map(dump).join(", ")}]`;
  return JSON.stringify(value);
}

/** DEL is ASCII to Python and stays. */
function escapeUnit(unit: string): string {
  return unit === "\u007f" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
