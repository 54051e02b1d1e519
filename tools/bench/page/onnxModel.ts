/** ONNX files of a few nodes, made in memory: the part of onnx.proto that they need. */
import protobuf from "protobufjs/light";

export interface OnnxNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxGraph {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly weights: Readonly<
    Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>
  >;
  readonly nodes: readonly OnnxNode[];
  readonly output: { readonly name: string; readonly dims: readonly number[] };
}

const FLOAT = 1;
const INT_ATTRIBUTE = 2;
const INTS_ATTRIBUTE = 7;

const field = (id: number, type: string, rule?: "repeated") => ({ id, type, ...(rule && { rule }) });
const many = (id: number, type: string) => field(id, type, "repeated");

const root = protobuf.Root.fromJSON({
  nested: {
    Model: { fields: { irVersion: field(1, "int64"), graph: field(7, "Graph"), opsets: many(8, "Opset") } },
    Opset: { fields: { domain: field(1, "string"), version: field(2, "int64") } },
    Graph: {
      fields: {
        node: many(1, "Node"),
        name: field(2, "string"),
        initializer: many(5, "Tensor"),
        input: many(11, "ValueInfo"),
        output: many(12, "ValueInfo"),
      },
    },
    Node: {
      fields: {
        input: many(1, "string"),
        output: many(2, "string"),
        opType: field(4, "string"),
        attribute: many(5, "Attribute"),
        domain: field(7, "string"),
      },
    },
    Attribute: {
      fields: {
        name: field(1, "string"),
        i: field(3, "int64"),
        ints: many(8, "int64"),
        type: field(20, "int32"),
      },
    },
    Tensor: {
      fields: {
        dims: many(1, "int64"),
        dataType: field(2, "int32"),
        name: field(8, "string"),
        rawData: field(9, "bytes"),
      },
    },
    ValueInfo: { fields: { name: field(1, "string"), type: field(2, "Type") } },
    Type: { fields: { tensorType: field(1, "TensorType") } },
    TensorType: { fields: { elemType: field(1, "int32"), shape: field(2, "Shape") } },
    Shape: { fields: { dim: many(1, "Dimension") } },
    Dimension: { fields: { dimValue: field(1, "int64") } },
  },
});

/** Serialises a float32 graph with opset 17. */
export function onnxModel({ inputs, weights, nodes, output }: OnnxGraph): Uint8Array {
  const graph = {
    name: "bench",
    node: nodes.map(nodeMessage),
    initializer: Object.entries(weights).map(([name, { dims, data }]) => ({
      name,
      dims,
      dataType: FLOAT,
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
    input: Object.entries(inputs).map(([name, dims]) => valueInfo(name, dims)),
    output: [valueInfo(output.name, output.dims)],
  };
  const opsets = [
    { domain: "", version: 17 },
    { domain: "com.microsoft", version: 1 },
  ];
  return root.lookupType("Model").encode({ irVersion: 8, graph, opsets }).finish();
}

function nodeMessage({ type, inputs, output, domain = "", attributes = {} }: OnnxNode) {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === "number"
      ? { name, i: value, type: INT_ATTRIBUTE }
      : { name, ints: value, type: INTS_ATTRIBUTE },
  );
  return { input: inputs, output: [output], opType: type, domain, attribute };
}

function valueInfo(name: string, dims: readonly number[]) {
  const shape = { dim: dims.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: FLOAT, shape } } };
}
