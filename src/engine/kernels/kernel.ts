/**
 * A kernel is one `.wgsl` file and one definition that names its bindings, its uniform fields and its workgroup.
 *
 * The prelude generator (`prelude.ts`) turns the definition and the actual tensor types into declarations and accessor
 * functions, so the hand-written WGSL never mentions storage types:
 *
 * | binding `x` | in WGSL |
 * | --- | --- |
 * | tensor f32/f16/u32, weight of any type | `x_quad(i) -> vec4f`: the i-th group of four elements |
 * | tensor | `x_at(i) -> f32` (one element); `x_raw(i) -> u32` for `u32` tensors |
 * | access `write` or `update` | `x_put(i, vec4f)`: stores four elements (f16 clamps to ±65504) |
 * | | `x_put1(i, f32)`: one element, f32 and u32 tensors only |
 * | optional | `HAS_X` (0 or 1); when absent, reads give zero and stores do nothing |
 *
 * `P.name` are the uniform fields. Lines between `#if NAME` / `#if !NAME` and `#else` / `#endif` depend on a constant
 * or a `HAS_…`; `#include "common/x"` pastes `shaders/common/x.wgsl`.
 *
 * The flat workgroup index is `workgroup_index(wid, num)` when a grid may exceed 65 535 in x (see `executor`).
 */
export interface BindingDefinition {
  readonly name: string;
  /** `write`: every element of its range that anyone reads is written. `update`: read and written in place. */
  readonly access: "read" | "write" | "update";
  readonly optional?: true;
}

export interface KernelDefinition {
  /** Also the name of the file in `shaders/`. */
  readonly name: string;
  readonly source: string;
  readonly bindings: readonly BindingDefinition[];
  /** Uniform fields in order; values arrive with each call. */
  readonly parameters: Readonly<Record<string, "u32" | "f32">>;
  /** Threads of a workgroup; may depend on the constants (tile sizes). */
  readonly workgroup:
    | readonly [number, number, number]
    | ((constants: Readonly<Record<string, number | boolean>>) => readonly [number, number, number]);
  /** Bytes of workgroup memory for a set of constants; checked against 16 KiB. */
  readonly sharedBytes?: (constants: Readonly<Record<string, number | boolean>>) => number;
}

export function defineKernel(definition: KernelDefinition): KernelDefinition {
  return definition;
}

/** Shorthand for binding lists. */
export const read = (name: string): BindingDefinition => ({ name, access: "read" });
export const optional = (name: string): BindingDefinition => ({ name, access: "read", optional: true });
export const write = (name: string): BindingDefinition => ({ name, access: "write" });
export const update = (name: string): BindingDefinition => ({ name, access: "update" });
