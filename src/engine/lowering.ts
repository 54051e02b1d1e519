/** Graph → flat list of kernel calls: drops nodes nobody needs, lets each op emit its dispatches in order. */
import type { GraphBuilder } from "./graph";
import type { Emitter, GraphNode, KernelCall } from "./op";
import type { KernelPolicy } from "./policy";
import type { Tensor } from "./tensor";

export interface LoweredCall extends KernelCall {
  readonly node: GraphNode;
}

export function lower(graph: GraphBuilder, policy: KernelPolicy): LoweredCall[] {
  const calls: LoweredCall[] = [];
  for (const node of neededNodes(graph)) {
    const emitter: Emitter = {
      policy,
      call: (call) =>
        calls.push({ constants: {}, parameters: {}, flops: 0, label: node.name, ...call, node }),
      scratch: (shape, type = "f32") => graph.scratch(`${node.name}~`, { shape, type }),
    };
    node.op.lower(node, emitter);
  }
  return calls;
}

/** Nodes whose outputs are kept or read by a needed node, and nodes that write flat buffers. */
export function neededNodes(graph: GraphBuilder): GraphNode[] {
  const needed = new Set<number>();
  const result: GraphNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    const isNeeded =
      writesFlat(node) || node.outputs.some((output) => needed.has(output.id) || graph.isKept(output));
    if (!isNeeded) continue;
    result.push(node);
    for (const input of Object.values(node.inputs)) if (input) needed.add(input.id);
  }
  return result.reverse();
}

/** Gradient slices and moments are only ever inputs of nodes that write them (or of the optimizer). */
function writesFlat(node: GraphNode): boolean {
  return Object.values(node.inputs).some((input) => input !== undefined && isWrittenFlat(input));
}

function isWrittenFlat(tensor: Tensor): boolean {
  return tensor.role === "gradient" || tensor.role === "moment1" || tensor.role === "moment2";
}
