/**
 * Settings of captioners as data: the panel shows them, storage keeps them, and what comes back from storage is made
 * to fit before a captioner sees it.
 */

interface Common<V> {
  label: string;
  /** One line under the field. */
  help?: string;
  initial: V;
}

export interface NumberField extends Common<number> {
  kind: "number";
  min: number;
  max: number;
  step: number;
}

export interface ToggleField extends Common<boolean> {
  kind: "toggle";
}

export interface ChoiceField extends Common<string> {
  kind: "choice";
  options: readonly { value: string; label: string }[];
}

export interface TextField extends Common<string> {
  kind: "text";
  placeholder?: string;
}

export type Field = NumberField | ToggleField | ChoiceField | TextField;
export type Fields = Readonly<Record<string, Field>>;
export type SettingValue = number | boolean | string;

/** `true` as the initial value of a constant still means any boolean. */
type Widened<V> = V extends boolean ? boolean : V extends number ? number : string;

export type SettingsOf<F extends Fields> = { [K in keyof F]: Widened<F[K]["initial"]> };

const longestText = 4096;

/** `value` if the field can hold it, else the field's initial value; numbers are clamped to the field's range. */
export function fitSetting(field: Field, value: unknown): SettingValue {
  switch (field.kind) {
    case "number":
      return typeof value === "number" && Number.isFinite(value)
        ? Math.min(field.max, Math.max(field.min, value))
        : field.initial;
    case "toggle":
      return typeof value === "boolean" ? value : field.initial;
    case "choice":
      return field.options.find((option) => option.value === value)?.value ?? field.initial;
    case "text":
      return typeof value === "string" ? value.slice(0, longestText) : field.initial;
  }
}

/** Every field with a value that fits it, whatever `stored` is. */
export function fitSettings<F extends Fields>(fields: F, stored: unknown): SettingsOf<F> {
  const values = new Map(typeof stored === "object" && stored !== null ? Object.entries(stored) : []);
  const fitted = Object.entries(fields).map(([key, field]) => [key, fitSetting(field, values.get(key))]);
  return Object.fromEntries(fitted) as SettingsOf<F>;
}
