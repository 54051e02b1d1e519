/** What the Node commands share: a model on a device, the tokenizer, PNG through sharp. */
import sharp from "sharp";
import { EngineDevice } from "../../src/engine/device";
import { fileHashes } from "../../src/formats/lora/hashes";
import { readSafetensorsHeader } from "../../src/formats/safetensors/header";
import type { ClipTokenizer } from "../../src/formats/tokenizer/clipTokenizer";
import type { LoadedModel } from "../../src/models/loadedModel";
import { openCheckpoint } from "../../src/models/openCheckpoint";
import type { EncodePng } from "../../src/workers/engine/generate";
import { loadClipTokenizer } from "./clipTokenizer";
import { requestNodeDevice } from "./device";
import { openFileSource } from "./fileSource";

export interface NodeSession {
  readonly model: LoadedModel;
  readonly sha256: string;
  readonly adapterName: string;
  readonly tokenizer: ClipTokenizer;
  /** Frees the GPU and the file. */
  close(): Promise<void>;
}

/** Opens a checkpoint on the best adapter there is. @throws WeftError when either cannot be used */
export async function openSession(file: string): Promise<NodeSession> {
  const source = await openFileSource(file);
  const { dataStart } = await readSafetensorsHeader(source);
  const { sha256 } = await fileHashes(source, dataStart);
  const { device, adapterName, isSoftware, release } = await requestNodeDevice();
  const model = await openCheckpoint(new EngineDevice(device, { name: adapterName, isSoftware }), source);
  const tokenizer = await loadClipTokenizer();
  const close = async () => {
    await model.release();
    await source.close();
    release();
  };
  return { model, sha256, adapterName, tokenizer, close };
}

export const encodePng: EncodePng = async (rgba, width, height) => {
  const rgb = sharp(rgba, { raw: { width, height, channels: 4 } }).removeAlpha();
  return new Uint8Array(await rgb.png().toBuffer());
};
