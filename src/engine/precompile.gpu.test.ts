import { describe, expect, it } from "vitest";
import { GraphBuilder } from "./graph";
import { lower } from "./lowering";
import { add } from "./ops/add";
import { linear } from "./ops/linear";
import { plan } from "./planner";
import { precompile } from "./precompile";
import { Program } from "./program";
import { testDevice } from "./testing/testDevice";
import type { WeightSource } from "./weights";
import { WeightStore } from "./weightStore";

const zeros: WeightSource = {
  name: "zeros",
  shapeOf: () => [64, 64],
  read: () => Promise.resolve(new Float32Array(64 * 64)),
};

describe("precompile", () => {
  it("leaves nothing to compile for the program, and stops when told to", async () => {
    const device = await testDevice();
    const graph = new GraphBuilder({ activationType: "f32" });
    const x = graph.input("x", [2, 64]);
    const weight = graph.weight({ keys: ["weight"], shape: [64, 64], layout: "matrix" });
    graph.keep(add(graph, "sum", x, linear(graph, "linear", x, weight)));
    const execution = plan(graph, lower(graph, device.policy), { weightType: "q8", flatBuffers: 4 });

    const stopped = new AbortController();
    stopped.abort();
    await precompile(device, execution, "q8", stopped.signal);
    expect(device.counts.pipelines).toBe(0);

    await precompile(device, execution, "q8", new AbortController().signal);
    const compiled = device.counts.pipelines;
    expect(compiled).toBeGreaterThan(0);
    expect(device.counts.buffers).toBe(0);

    const weights = new WeightStore(device, "q8");
    await weights.load(graph.weights, zeros);
    const program = await Program.compile(device, execution, { weights });
    expect(device.counts.pipelines).toBe(compiled);
    program.dispose();
    weights.dispose();
  });
});
