import source from "../../../shaders/loraGradient.wgsl?raw";
import type { KernelPolicy } from "../policy";
import { STEP_SCALARS } from "../stepScalars";
import {
  defineKernel,
  optional,
  read,
  update,
  write,
  type BindingDefinition,
  type KernelDefinition,
} from "./kernel";
import { laneWorkgroup } from "./laneTile";
import { unroll } from "./unroll";

/** How threads share the work; see the shader. */
export interface LoraTile {
  readonly LANES: 1 | 4 | 8;
  /** Quads of the rank per thread, a divisor of those of one part. */
  readonly QUADS: 1 | 2 | 4;
  /** Rows per step. */
  readonly STEPS: number;
}

export function loraTile(policy: KernelPolicy, rank: number): LoraTile {
  const QUADS = rank % 16 === 0 ? 4 : rank % 8 === 0 ? 2 : 1;
  const LANES = policy.broadcastLanes === 0 ? 1 : policy.broadcastLanes;
  return { LANES, QUADS, STEPS: LANES === 1 ? 1 : LANES / QUADS };
}

export function loraConstants({ LANES, QUADS, STEPS }: LoraTile): Readonly<Record<string, number | boolean>> {
  return { LANES, QUADS, STEPS, BROADCAST: LANES > 1 };
}

const absent = (binding: BindingDefinition): BindingDefinition => ({ ...binding, optional: true });

const kernels = new Map<string, KernelDefinition>();

/**
 * Constants: those of the tile. Grid: x covers quads of x, then of one part of g, `WG_X` each and apart; y covers the
 * rank of all parts, QUADS each; z slices of rows. Binds either `partial` or the two gradients with `scalars`.
 */
export function loraGradient(tile: LoraTile): KernelDefinition {
  const key = `${tile.LANES}:${tile.QUADS}`;
  const kernel = kernels.get(key) ?? define(unroll(source, { QUADS: tile.QUADS, STEPS: tile.STEPS }));
  kernels.set(key, kernel);
  return kernel;
}

function define(unrolled: string): KernelDefinition {
  return defineKernel({
    name: "loraGradient",
    source: `const ACCUMULATE = ${STEP_SCALARS.accumulate}u;\n${unrolled}`,
    bindings: [
      read("x"),
      read("g"),
      read("h"),
      read("dh"),
      optional("scalars"),
      absent(update("downGradient")),
      absent(update("upGradient")),
      absent(write("partial")),
    ],
    parameters: {
      M: "u32",
      k4: "u32",
      partN4: "u32",
      r4: "u32",
      parts: "u32",
      sliceRows: "u32",
      loraScale: "f32",
    },
    workgroup: laneWorkgroup,
  });
}
