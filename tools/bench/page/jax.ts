/** jax-js, float32, everything under `jit`. Its arrays move when used; `.ref` keeps them. */
import { defaultDevice, init, jit, lax, nn, numpy as np } from "@jax-js/jax";
import type { BenchCase } from "../types";
import type { CaseData } from "./cases";
import { columnsOf, kernelsFirst, transposed, type Contender, type Prepared } from "./contender";

export const jax: Contender = { name: "jax-js", ways: (c, data) => [() => prepare(c, data)] };

interface Way {
  readonly variant: string;
  readonly inputs: readonly np.Array[];
  readonly compute: (...inputs: np.Array[]) => np.Array;
  readonly restore: (output: Float32Array) => Float32Array;
}

function wayOf(c: BenchCase, { x, w }: CaseData): Way {
  switch (c.kind) {
    case "matmul":
      return {
        variant: "matmul",
        inputs: [
          array(x, [c.rows, c.inputs]),
          array(transposed(w, c.outputs, c.inputs), [c.inputs, c.outputs]),
        ],
        compute: (a, b) => np.matmul(required(a), required(b)),
        restore: (y) => y,
      };
    case "conv": {
      const pixels = c.size ** 2;
      return {
        variant: "convGeneralDilated",
        inputs: [
          array(transposed(x, pixels, c.inputs), [1, c.inputs, c.size, c.size]),
          array(kernelsFirst(w, c.outputs, c.inputs), [c.outputs, c.inputs, 3, 3]),
        ],
        compute: (a, b) => lax.convGeneralDilated(required(a), required(b), [1, 1], "SAME"),
        restore: (y) => transposed(y, c.outputs, pixels),
      };
    }
    case "attention": {
      const keys = c.keys ?? c.queries;
      const parts = [columnsOf(w, keys, 2, 0), columnsOf(w, keys, 2, 1)];
      return {
        variant: "dotProductAttention",
        inputs: [
          array(x, [1, c.queries, c.heads, c.headDim]),
          ...parts.map((part) => array(part, [1, keys, c.heads, c.headDim])),
        ],
        compute: (q, k, v) => nn.dotProductAttention(required(q), required(k), required(v)),
        restore: (o) => o,
      };
    }
  }
}

function array(values: Float32Array<ArrayBuffer>, shape: number[]): np.Array {
  return np.array(values, { shape });
}

function required(input: np.Array | undefined): np.Array {
  if (!input) throw new Error("jax-js was given too few inputs");
  return input;
}

let ready: Promise<unknown> | undefined;

async function prepare(c: BenchCase, data: CaseData): Promise<Prepared> {
  ready ??= init("webgpu").then(() => defaultDevice("webgpu"));
  await ready;
  const { variant, inputs, compute, restore } = wayOf(c, data);
  const compiled = jit(compute);
  const pending: np.Array[] = [];
  let last: np.Array | undefined;
  return {
    variant,
    run: () => {
      pending.push(compiled(...inputs.map((input) => input.ref)));
    },
    finished: async () => {
      for (const output of pending.splice(0)) {
        await output.blockUntilReady();
        last?.dispose();
        last = output;
      }
    },
    result: async () => {
      if (!last) throw new Error("jax-js has no result");
      return restore((await last.ref.data()) as Float32Array);
    },
    dispose: () => {
      last?.dispose();
      for (const input of inputs) input.dispose();
      compiled.dispose();
    },
  };
}
