/**
 * Groups the tensors of a LoRA file by module. Reads the header only; values are read per module.
 * Key grammar: `{module name}.{tensor}`, split at the first dot.
 */
import type { SafetensorsHeader, TensorInfo } from "../safetensors/header";

/** The algebra of a module's tensors (LyCORIS' names); `unknown` is none of them. */
export type LoraKind = "lora" | "loha" | "lokr" | "full" | "norm" | "oft" | "glora" | "ia3" | "unknown";

/** One module of a file, unread. */
export interface LoraEntry {
  readonly name: string;
  readonly kind: LoraKind;
  /** Whether `dora_scale` rescales the result. */
  readonly dora: boolean;
  /** By tensor name: `lora_down.weight`, `lora_up.weight`, `alpha`, ... */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

export interface ParsedLora {
  readonly entries: ReadonlyMap<string, LoraEntry>;
  /** Tensors that belong to no module. */
  readonly otherKeys: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** What marks a tensor name as belonging to a kind, in order of precedence. */
const KIND_MARKS: readonly [LoraKind, RegExp][] = [
  ["lora", /^lora_(down|up|mid)\.weight$/],
  ["loha", /^hada_/],
  ["lokr", /^lokr_/],
  ["oft", /^oft_/],
  ["glora", /^[ab][12m]\.weight$/],
  ["full", /^diff(_b)?$/],
  ["norm", /^[wb]_norm$/],
  ["ia3", /^on_input$/],
];

const MODULE_NAME = /^(lora|lycoris|oft)_(unet|te\d?|prior|transformer)_/;

/** Groups a header's tensors; never throws, since judging them needs the base model (see match.ts). */
export function parseLora(header: SafetensorsHeader): ParsedLora {
  const groups = new Map<string, Map<string, TensorInfo>>();
  const otherKeys: string[] = [];
  for (const info of header.tensors.values()) {
    const dot = info.name.indexOf(".");
    const name = info.name.slice(0, dot);
    if (dot < 0 || !MODULE_NAME.test(name)) {
      otherKeys.push(info.name);
      continue;
    }
    const group = groups.get(name) ?? new Map<string, TensorInfo>();
    groups.set(name, group.set(info.name.slice(dot + 1), info));
  }
  const entries = new Map([...groups].map(([name, tensors]) => [name, entry(name, tensors)]));
  return { entries, otherKeys, metadata: header.metadata };
}

function entry(name: string, tensors: Map<string, TensorInfo>): LoraEntry {
  const keys = [...tensors.keys()];
  const kind = KIND_MARKS.find(([, mark]) => keys.some((key) => mark.test(key)))?.[0] ?? "unknown";
  return { name, kind, dora: tensors.has("dora_scale"), tensors };
}
