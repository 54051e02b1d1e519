import { beforeAll, describe, expect, it } from "vitest";
import type { EngineDevice } from "../device";
import { GraphBuilder } from "../graph";
import { checkOp, type OpCase } from "../testing/opHarness";
import { testDevice } from "../testing/testDevice";
import { add } from "./add";
import { pickRows } from "./pickRows";

let device: EngineDevice;
beforeAll(async () => {
  device = await testDevice();
});

const WIDTH = 12;
const TOKENS = 5;
/** The last one lies beyond the end and takes the last row. */
const at = [3, 0, 99];

const pickCase: OpCase = {
  inputs: {
    x: { shape: [3, TOKENS, WIDTH], gradient: true },
    at: { shape: [3], as: "u32", values: (i) => at[i] ?? 0 },
  },
  build: (g, { x, at: rows }) => (x && rows ? [pickRows(g, "pick", x, rows)] : []),
  reference: ({ x }) => [picked(x)],
};

function picked(x: Float64Array | undefined): Float64Array {
  return Float64Array.from({ length: 3 * WIDTH }, (_, i) => {
    const text = Math.floor(i / WIDTH);
    const row = Math.min(at[text] ?? 0, TOKENS - 1);
    return x?.[(text * TOKENS + row) * WIDTH + (i % WIDTH)] ?? 0;
  });
}

describe("pickRows", () => {
  it("takes one row of each text, and gives the gradient back to it", async () => {
    await checkOp(device, pickCase);
  });

  it("adds to a gradient collected before", async () => {
    await checkOp(device, {
      ...pickCase,
      build: (g, { x, at: rows }) => (x && rows ? [add(g, "sum", x, x), pickRows(g, "pick", x, rows)] : []),
      reference: ({ x }) => [(x ?? new Float64Array()).map((value) => 2 * value), picked(x)],
    });
  });

  it("stores f16", async () => {
    await checkOp(device, { ...pickCase, activationType: "f16" });
  });

  it("refuses a number of indices that differs from the number of texts", () => {
    const g = new GraphBuilder({ activationType: "f32" });
    expect(() => pickRows(g, "pick", g.input("x", [2, 5, 4]), g.input("at", [3], "u32"))).toThrow(
      "internal: pickRows",
    );
  });
});
