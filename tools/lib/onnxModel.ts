/** ONNX files of a few nodes, made in memory: the part of onnx.proto that they need. */
import protobuf from "protobufjs/light.js";

export type OnnxType = "float32" | "int64" | "bool";

export interface OnnxNode {
  readonly type: string;
  /** "" for an optional input that is left out. */
  readonly inputs: readonly string[];
  /** Several names separated by spaces for a node with several outputs. */
  readonly output: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A number, or the name of a size that is free. */
export type OnnxDims = readonly (number | string)[];

interface Port {
  readonly dims: OnnxDims;
  readonly type: OnnxType;
}

export interface OnnxWeight {
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface OnnxGraph {
  /** Dims alone mean float32. */
  readonly inputs: Readonly<Record<string, OnnxDims | Port>>;
  readonly weights: Readonly<Record<string, OnnxWeight>>;
  readonly nodes: readonly OnnxNode[];
  readonly output?: { readonly name: string; readonly dims: OnnxDims };
  readonly outputs?: Readonly<Record<string, OnnxDims>>;
}

const elementTypes: Record<OnnxType, number> = { float32: 1, int64: 7, bool: 9 };
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
    Dimension: { fields: { dimValue: field(1, "int64"), dimParam: field(2, "string") } },
  },
});

/** Serialises a graph with opset 17. */
export function onnxModel({ inputs, weights, nodes, output, outputs = {} }: OnnxGraph): Uint8Array {
  const results = output ? { [output.name]: output.dims } : outputs;
  const graph = {
    name: "weft",
    node: nodes.map(nodeMessage),
    initializer: Object.entries(weights).map(([name, weight]) => tensor(name, weight)),
    input: Object.entries(inputs).map(([name, port]) =>
      "type" in port ? valueInfo(name, port.dims, port.type) : valueInfo(name, port),
    ),
    output: Object.entries(results).map(([name, dims]) => valueInfo(name, dims)),
  };
  const opsets = [
    { domain: "", version: 17 },
    { domain: "com.microsoft", version: 1 },
  ];
  return root.lookupType("Model").encode({ irVersion: 8, graph, opsets }).finish();
}

function tensor(name: string, { dims, data }: OnnxWeight) {
  return {
    name,
    dims,
    dataType: data instanceof BigInt64Array ? elementTypes.int64 : elementTypes.float32,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function nodeMessage({ type, inputs, output, domain = "", attributes = {} }: OnnxNode) {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === "number"
      ? { name, i: value, type: INT_ATTRIBUTE }
      : { name, ints: value, type: INTS_ATTRIBUTE },
  );
  return { input: inputs, output: output.split(" "), opType: type, domain, attribute };
}

function valueInfo(name: string, dims: OnnxDims, type: OnnxType = "float32") {
  const dim = dims.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}
