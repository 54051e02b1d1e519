/** Finished LoRAs: listed, kept, handed out as files. */
import { WeftError } from "../base/errors";
import { Files, Records } from "../storage/records";
import type { LoraFile } from "../workers/engine/api";
import { download } from "./download";
import { showError } from "./notices";
import { parseLora, type LoraRecord, type RunRecord } from "./records";
import { lastSample } from "./runLog.svelte";

type Bytes = Uint8Array<ArrayBuffer>;

export class Loras {
  list = $state.raw<LoraRecord[]>([]);
  #records = new Records("weft-loras", parseLora);
  #files = new Files<Bytes>("weft-lora-files");

  async start(): Promise<void> {
    this.list = (await this.#records.all()).sort((a, b) => b.createdAt - a.createdAt);
  }

  find(name: string): LoraRecord | undefined {
    return this.list.find((lora) => lora.name === name);
  }

  byId(id: string | undefined): LoraRecord | undefined {
    return this.list.find((lora) => lora.id === id);
  }

  /** Keeps the file of a run that ended. A second file of the same run takes the first one's place. */
  async add(run: RunRecord, file: LoraFile, steps: number): Promise<LoraRecord> {
    const record = describe(run, file, steps);
    await this.#files.put(record.id, file.bytes);
    await this.#records.put(record);
    this.list = [record, ...this.list.filter((lora) => lora.id !== record.id)];
    return record;
  }

  async bytes(lora: LoraRecord): Promise<Bytes> {
    const bytes = await this.#files.get(lora.id);
    if (bytes) return bytes;
    throw new WeftError(
      "missing-lora",
      `The file "${lora.name}.safetensors" is no longer in the browser's storage.`,
      "Train it again.",
    );
  }

  async remove(id: string): Promise<void> {
    await this.#records.remove(id);
    await this.#files.remove(id);
    this.list = this.list.filter((lora) => lora.id !== id);
  }

  async download(lora: LoraRecord): Promise<void> {
    try {
      download(await this.bytes(lora), `${lora.name}.safetensors`);
    } catch (reason) {
      showError(reason);
    }
  }

  /** Object URL of the newest sample picture; empty when there is none. */
  async previewUrl(lora: LoraRecord): Promise<string> {
    const picture = await lastSample(lora.runId);
    return picture ? URL.createObjectURL(picture) : "";
  }
}

function describe(run: RunRecord, file: LoraFile, steps: number): LoraRecord {
  const { settings, model } = run;
  return {
    id: `lora-${run.id}`,
    name: file.name,
    createdAt: Date.now(),
    runId: run.id,
    trigger: settings.trigger,
    modelTitle: model.title,
    modelHash: model.hash,
    family: model.family,
    resolution: settings.resolution,
    rank: settings.rank,
    alpha: settings.alpha,
    steps,
    images: run.images,
    bytes: file.bytes.byteLength,
    sha256: file.sha256,
    sshsModelHash: file.sshsModelHash,
    ...(run.fixedNoiseLoss ? { fixedNoiseLoss: run.fixedNoiseLoss } : {}),
  };
}
