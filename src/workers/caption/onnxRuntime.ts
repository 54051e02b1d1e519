/** ONNX Runtime behind the interface that captioners know. */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from "onnxruntime-web";
import { WeftError } from "../../base/errors";
import type { Feed, OnnxModel, OnnxPort, OnnxRuntime, Output } from "../../captioning/types";

function toTensor(Tensor: TensorConstructor, { data, dims }: Feed): OrtTensor {
  if (data instanceof BigInt64Array) return new Tensor("int64", data, dims);
  if (data instanceof Int32Array) return new Tensor("int32", data, dims);
  return new Tensor("float32", data, dims);
}

async function toOutput(tensor: OrtTensor): Promise<Output> {
  const data = await tensor.getData(true);
  const values = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>, Number);
  return { data: values, dims: tensor.dims };
}

function portsOf(session: InferenceSession): OnnxPort[] {
  return session.inputMetadata.map((port) =>
    port.isTensor
      ? { name: port.name, type: port.type, shape: port.shape }
      : { name: port.name, type: "other", shape: [] },
  );
}

function modelOf(session: InferenceSession, Tensor: TensorConstructor): OnnxModel {
  return {
    inputs: portsOf(session),
    outputs: session.outputNames,
    run: async (feeds) => {
      const tensors = Object.entries(feeds).map(([name, feed]) => [name, toTensor(Tensor, feed)] as const);
      const results = await session.run(Object.fromEntries(tensors));
      const outputs = await Promise.all(
        Object.entries(results).map(async ([name, tensor]) => [name, await toOutput(tensor)] as const),
      );
      return Object.fromEntries(outputs);
    },
    release: () => session.release(),
  };
}

/**
 * @param create opens a session; its errors become {@link WeftError}s for people
 * @param Tensor of the same build of ONNX Runtime
 */
export function onnxRuntime(
  create: (file: Uint8Array) => Promise<InferenceSession>,
  Tensor: TensorConstructor,
): OnnxRuntime {
  return {
    open: async (file, name) => {
      try {
        return modelOf(await create(file), Tensor);
      } catch (error) {
        if (error instanceof WeftError) throw error;
        const detail = error instanceof Error ? error.message : String(error);
        throw new WeftError(
          "bad-onnx",
          `"${name}" is not a model that can run here: ${detail.slice(0, 300)}`,
          "Choose an ONNX file exported for inference; weights in separate files are not supported.",
        );
      }
    },
  };
}
