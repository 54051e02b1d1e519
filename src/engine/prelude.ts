/**
 * Turns a kernel definition and the storage of its actual tensors into complete WGSL.
 *
 * What the accessors mean is written at the top of `kernels/kernel.ts`.
 */
import { InternalError, invariant } from "../base/errors";
import type { BindingDefinition, KernelDefinition } from "./kernels/kernel";
import type { TensorType, WeightType } from "./tensor";

/** Storage of one bound tensor. `host` memory (inputs and weights) is never written by the GPU and binds read-only. */
export interface BoundStorage {
  readonly type: TensorType | WeightType;
  readonly memory: "host" | "device";
}

export type KernelConstants = Readonly<Record<string, number | boolean>>;

export interface GeneratedShader {
  readonly code: string;
  /** Bindings that are really present, in @binding order; the uniform follows them. */
  readonly present: readonly BindingDefinition[];
  readonly uniformFields: readonly UniformField[];
}

export interface UniformField {
  readonly name: string;
  readonly type: "u32" | "f32";
}

const ELEMENT: Record<TensorType | WeightType, string> = {
  f32: "vec4f",
  f16: "vec2u",
  u32: "u32",
  q8: "u32",
  q4: "u32",
};

/** Texts of `shaders/common/*.wgsl` by name, for `#include "common/name"`. */
const COMMON: Record<string, string> = Object.fromEntries(
  Object.entries(
    import.meta.glob<string>("../../shaders/common/*.wgsl", {
      query: "?raw",
      import: "default",
      eager: true,
    }),
  ).map(([path, text]) => [path.replace(/^.*shaders\//, "").replace(/\.wgsl$/, ""), text]),
);

/**
 * Generates the shader of one kernel variant.
 * @param storage by binding name; optional bindings may be missing
 * @throws InternalError when a required binding is missing or the source does not preprocess
 */
export function generateShader(
  kernel: KernelDefinition,
  storage: Readonly<Record<string, BoundStorage | undefined>>,
  constants: KernelConstants,
): GeneratedShader {
  const present = kernel.bindings.filter((binding) => isPresent(kernel, binding, storage));
  const uniformFields = uniformFieldsOf(kernel, present, storage);
  const flags: Record<string, number | boolean> = { ...constants };
  for (const binding of kernel.bindings) flags[hasName(binding)] = present.includes(binding);
  const body = preprocess(kernel.name, kernel.source, flags);
  const [x, y, z] = workgroupSize(kernel, constants);
  const parts = [
    ...(/\bsubgroup[A-Z]\w*\(/.test(body) ? ["enable subgroups;"] : []),
    ...Object.entries({ ...flags, WG_X: x, WG_Y: y, WG_Z: z }).map(([name, value]) =>
      constantText(name, value),
    ),
    paramsText(uniformFields, present.length),
    ...present.map((binding, index) => accessorsText(binding, index, storageOf(storage, binding), body)),
    ...kernel.bindings.filter((binding) => !present.includes(binding)).map((binding) => absentText(binding)),
    body,
  ];
  return { code: parts.join("\n"), present, uniformFields };
}

export function workgroupSize(
  kernel: KernelDefinition,
  constants: KernelConstants,
): readonly [number, number, number] {
  const size = typeof kernel.workgroup === "function" ? kernel.workgroup(constants) : kernel.workgroup;
  invariant(size[0] * size[1] * size[2] <= 256, () => `${kernel.name}: more than 256 threads in a workgroup`);
  invariant(
    (kernel.sharedBytes?.(constants) ?? 0) <= 16384,
    () => `${kernel.name}: more than 16 KiB of workgroup memory`,
  );
  return size;
}

function isPresent(
  kernel: KernelDefinition,
  binding: BindingDefinition,
  storage: Readonly<Record<string, BoundStorage | undefined>>,
): boolean {
  if (storage[binding.name]) return true;
  if (!binding.optional) throw new InternalError(`kernel ${kernel.name} lacks its binding "${binding.name}"`);
  return false;
}

function storageOf(
  storage: Readonly<Record<string, BoundStorage | undefined>>,
  binding: BindingDefinition,
): BoundStorage {
  const found = storage[binding.name];
  if (!found) throw new InternalError(`no storage for binding "${binding.name}"`);
  return found;
}

/** The kernel's own fields, then for each block-quantised binding the word offset of its scale plane. */
function uniformFieldsOf(
  kernel: KernelDefinition,
  present: readonly BindingDefinition[],
  storage: Readonly<Record<string, BoundStorage | undefined>>,
): UniformField[] {
  const own = Object.entries(kernel.parameters).map(([name, type]) => ({ name, type }));
  const scales = present
    .filter((binding) => ["q8", "q4"].includes(storageOf(storage, binding).type))
    .map((binding) => ({ name: scalesField(binding.name), type: "u32" as const }));
  return [...own, ...scales];
}

export function scalesField(binding: string): string {
  return `${binding}_scales`;
}

function hasName(binding: BindingDefinition): string {
  return `HAS_${binding.name.toUpperCase()}`;
}

function constantText(name: string, value: number | boolean): string {
  if (typeof value === "boolean") return `const ${name}: u32 = ${value ? 1 : 0}u;`;
  return Number.isInteger(value) ? `const ${name}: u32 = ${value}u;` : `const ${name}: f32 = ${value}f;`;
}

function paramsText(fields: readonly UniformField[], binding: number): string {
  const lines = fields.map((field) => `  ${field.name}: ${field.type},`);
  if (lines.length === 0) lines.push("  unused: u32,");
  return `struct Params {\n${lines.join("\n")}\n}\n@group(0) @binding(${binding}) var<uniform> P: Params;`;
}

function accessorsText(
  binding: BindingDefinition,
  index: number,
  storage: BoundStorage,
  body: string,
): string {
  const { name } = binding;
  // A kernel that stores single elements gets scalar storage: writing one component of a vec4 may touch its neighbours.
  const scalar = storage.type === "f32" && new RegExp(`\\b${name}_put1\\(`).test(body);
  const element = scalar ? "f32" : ELEMENT[storage.type];
  const mode = storage.memory === "host" ? "read" : "read_write";
  const declaration = `@group(0) @binding(${index}) var<storage, ${mode}> ${name}: array<${element}>;`;
  const reads = readText(name, storage.type, scalar);
  const writes = binding.access === "read" ? "" : writeText(name, storage.type, scalar);
  return [declaration, reads, writes].filter(Boolean).join("\n");
}

function readText(name: string, type: TensorType | WeightType, scalar: boolean): string {
  if (scalar) {
    return `fn ${name}_at(i: u32) -> f32 { return ${name}[i]; }
fn ${name}_quad(i: u32) -> vec4f { return vec4f(${name}[4u * i], ${name}[4u * i + 1u], ${name}[4u * i + 2u], ${name}[4u * i + 3u]); }`;
  }
  switch (type) {
    case "f32":
      return `fn ${name}_quad(i: u32) -> vec4f { return ${name}[i]; }
fn ${name}_at(i: u32) -> f32 { return ${name}[i >> 2u][i & 3u]; }`;
    case "f16":
      return `fn ${name}_quad(i: u32) -> vec4f { let v = ${name}[i]; return vec4f(unpack2x16float(v.x), unpack2x16float(v.y)); }
fn ${name}_at(i: u32) -> f32 { return unpack2x16float(${name}[i >> 2u][(i >> 1u) & 1u])[i & 1u]; }`;
    case "u32":
      return `fn ${name}_raw(i: u32) -> u32 { return ${name}[i]; }`;
    case "q8":
      return `fn ${name}_quad(i: u32) -> vec4f {
  let b = i >> 3u;
  let s = unpack2x16float(${name}[P.${name}_scales + (b >> 1u)])[b & 1u];
  return fma(vec4f(unpack4xU8(${name}[i])), vec4f(s), vec4f(-128f * s));
}`;
    case "q4":
      return `fn ${name}_quad(i: u32) -> vec4f {
  let sm = unpack2x16float(${name}[P.${name}_scales + (i >> 3u)]);
  let u = (${name}[i >> 1u] >> (4u * (i & 1u))) & 0x0f0f0f0fu;
  return fma(vec4f(unpack4xU8(u)), vec4f(sm.x), vec4f(sm.y));
}`;
  }
}

function writeText(name: string, type: TensorType | WeightType, scalar: boolean): string {
  if (scalar) {
    return `fn ${name}_put1(i: u32, v: f32) { ${name}[i] = v; }
fn ${name}_put(i: u32, v: vec4f) { ${name}[4u * i] = v.x; ${name}[4u * i + 1u] = v.y; ${name}[4u * i + 2u] = v.z; ${name}[4u * i + 3u] = v.w; }`;
  }
  switch (type) {
    case "f32":
      return `fn ${name}_put(i: u32, v: vec4f) { ${name}[i] = v; }`;
    case "f16":
      return `fn ${name}_put(i: u32, v: vec4f) {
  let c = clamp(v, vec4f(-65504f), vec4f(65504f));
  ${name}[i] = vec2u(pack2x16float(c.xy), pack2x16float(c.zw));
}`;
    case "u32":
      return `fn ${name}_put1(i: u32, v: u32) { ${name}[i] = v; }`;
    default:
      throw new InternalError(`"${name}" is a frozen weight and cannot be written`);
  }
}

function absentText({ name, access }: BindingDefinition): string {
  const reads = `fn ${name}_quad(i: u32) -> vec4f { return vec4f(); }\nfn ${name}_at(i: u32) -> f32 { return 0f; }`;
  return access === "read" ? reads : `${reads}\nfn ${name}_put(i: u32, v: vec4f) { }`;
}

/**
 * Resolves `#include "common/x"` and `#if NAME` / `#if !NAME` / `#else` / `#endif`. A name that is not a constant is an
 * error, so a misspelt flag never silently drops code.
 */
export function preprocess(
  kernel: string,
  source: string,
  flags: Readonly<Record<string, number | boolean>>,
): string {
  const output: string[] = [];
  const stack: boolean[] = [];
  for (const [index, line] of expandIncludes(kernel, source).split("\n").entries()) {
    const directive = /^\s*#(if|else|endif)\s*(!?)(\w*)/.exec(line);
    if (!directive) {
      if (stack.every(Boolean)) output.push(line);
      continue;
    }
    const [, word, not, name] = directive;
    if (word === "if") {
      const value = flags[name ?? ""];
      if (value === undefined)
        throw new InternalError(`${kernel}.wgsl line ${index + 1}: unknown flag "${name}"`);
      stack.push(not ? !value : Boolean(value));
    } else if (stack.length === 0) {
      throw new InternalError(`${kernel}.wgsl line ${index + 1}: #${word} without #if`);
    } else if (word === "else") {
      stack.push(!stack.pop());
    } else {
      stack.pop();
    }
  }
  if (stack.length > 0) throw new InternalError(`${kernel}.wgsl: #if without #endif`);
  return output.join("\n");
}

function expandIncludes(kernel: string, source: string): string {
  return source.replace(/^\s*#include "([^"]+)"\s*$/gm, (_, name: string) => {
    const text = COMMON[name];
    if (text === undefined) throw new InternalError(`${kernel}.wgsl includes the unknown "${name}"`);
    return text;
  });
}
