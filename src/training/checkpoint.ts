/** A run's state as bytes: a safetensors file with the flat buffers and the step, so any tool can look inside. */
import { WeftError } from "../base/errors";
import { readSafetensorsHeader, type SafetensorsHeader } from "../formats/safetensors/header";
import { fromBytes, type ByteSource } from "../formats/safetensors/source";
import { readTensor } from "../formats/safetensors/tensor";
import { writeSafetensors, type TensorToWrite } from "../formats/safetensors/write";

export interface RunState {
  /** Optimizer steps done. */
  readonly step: number;
  readonly parameter: Float32Array<ArrayBuffer>;
  readonly moment1: Float32Array<ArrayBuffer>;
  readonly moment2: Float32Array<ArrayBuffer>;
  /** Settings as JSON, for the resuming side to compare. */
  readonly settings: string;
  /** Kernel policy as JSON: another tile order is another rounding. */
  readonly policy: string;
}

const FORMAT = "weft-run-1";

export function writeCheckpoint(state: RunState): Uint8Array<ArrayBuffer> {
  const { step, settings, policy } = state;
  const metadata = new Map(
    Object.entries({
      format: FORMAT,
      step: String(step),
      settings,
      policy,
    }),
  );
  return writeSafetensors(
    [flat("moment1", state.moment1), flat("moment2", state.moment2), flat("parameter", state.parameter)],
    metadata,
  );
}

/** @throws WeftError when the bytes are not a checkpoint of this version, or are damaged. */
export async function readCheckpoint(bytes: Uint8Array<ArrayBuffer>): Promise<RunState> {
  const source = fromBytes(bytes, "checkpoint");
  const header = await readSafetensorsHeader(source);
  const step = Number(header.metadata.get("step"));
  if (header.metadata.get("format") !== FORMAT || !Number.isSafeInteger(step)) throw notACheckpoint();
  return {
    step,
    parameter: await tensor(source, header, "parameter"),
    moment1: await tensor(source, header, "moment1"),
    moment2: await tensor(source, header, "moment2"),
    settings: header.metadata.get("settings") ?? "{}",
    policy: header.metadata.get("policy") ?? "{}",
  };
}

function flat(name: string, values: Float32Array<ArrayBuffer>): TensorToWrite {
  return {
    name,
    dtype: "F32",
    shape: [values.length],
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

async function tensor(
  source: ByteSource,
  header: SafetensorsHeader,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const info = header.tensors.get(name);
  if (!info) throw notACheckpoint();
  return readTensor(source, info, "f32");
}

function notACheckpoint(): WeftError {
  return new WeftError(
    "not-a-checkpoint",
    "This is not a checkpoint of a Weft run, or of another version.",
    "Start the run again; the pictures and settings are kept.",
  );
}
