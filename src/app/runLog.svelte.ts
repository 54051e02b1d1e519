/** The course of one run: losses and sample pictures, as shown live and as kept for later. */
import { Files } from "../storage/records";
import type { GeneratedImage } from "../workers/engine/api";

export interface LossPoint {
  step: number;
  loss: number;
  lr: number;
  /** Seconds of this step. */
  seconds: number;
}

interface StoredSample {
  step: number;
  png: Blob;
  infotext: string;
}

export interface SampleView {
  step: number;
  url: string;
  infotext: string;
}

const pointWidth = 4;
const losses = new Files<Float64Array>("weft-losses");
const sampleFiles = new Files<StoredSample>("weft-samples");

export class RunLog {
  readonly runId: string;
  /** Grown in place: thousands of points need no proxies. Read `version` to follow it. */
  readonly points: LossPoint[] = [];
  version = $state(0);
  samples = $state.raw<SampleView[]>([]);
  #unsaved: StoredSample[] = [];

  constructor(runId: string) {
    this.runId = runId;
  }

  async load(): Promise<this> {
    const flat = await losses.get(this.runId);
    if (flat) this.points.push(...unpack(flat));
    const keys = await sampleFiles.keysUnder(`${this.runId}/`);
    const stored = await Promise.all(keys.map((key) => sampleFiles.get(key)));
    this.samples = stored.filter((sample) => sample !== undefined).map(toView);
    this.version += 1;
    return this;
  }

  add(point: LossPoint): void {
    this.points.push(point);
    this.version += 1;
  }

  addSample(step: number, image: GeneratedImage): void {
    const png = new Blob([image.png], { type: "image/png" });
    const sample = { step, png, infotext: image.infotext };
    const others = this.samples.filter((other) => other.step !== step);
    this.samples = [...others, toView(sample)].sort((a, b) => a.step - b.step);
    this.#unsaved.push(sample);
  }

  /** Writes what is new; what could not be written is tried again the next time. */
  async save(): Promise<void> {
    for (let sample = this.#unsaved[0]; sample; sample = this.#unsaved[0]) {
      await sampleFiles.put(`${this.runId}/${String(sample.step).padStart(7, "0")}`, sample);
      this.#unsaved.shift();
    }
    await losses.put(this.runId, pack(this.points));
  }

  /** Forgets what came after `step`: a resumed run goes on from there. */
  rewind(step: number): void {
    const keep = this.points.findIndex((point) => point.step > step);
    if (keep >= 0) this.points.length = keep;
    this.version += 1;
  }

  /** Frees the pictures' object URLs. */
  close(): void {
    for (const sample of this.samples) URL.revokeObjectURL(sample.url);
    this.samples = [];
  }

  /** `step,loss,lr,seconds` lines for a spreadsheet. */
  toCsv(): string {
    const lines = this.points.map(({ step, loss, lr, seconds }) => [step, loss, lr, seconds].join(","));
    return ["step,loss,lr,seconds", ...lines, ""].join("\n");
  }
}

export async function removeRunLog(runId: string): Promise<void> {
  await Promise.all([losses.remove(runId), sampleFiles.removeUnder(`${runId}/`)]);
}

/** The newest sample picture of a run, as a preview for its card. */
export async function lastSample(runId: string): Promise<Blob | undefined> {
  const newest = (await sampleFiles.keysUnder(`${runId}/`)).at(-1);
  return newest === undefined ? undefined : (await sampleFiles.get(newest))?.png;
}

function toView(sample: StoredSample): SampleView {
  return { step: sample.step, url: URL.createObjectURL(sample.png), infotext: sample.infotext };
}

function pack(points: LossPoint[]): Float64Array {
  return Float64Array.from(points.flatMap(({ step, loss, lr, seconds }) => [step, loss, lr, seconds]));
}

function unpack(flat: Float64Array): LossPoint[] {
  const points: LossPoint[] = [];
  for (let at = 0; at + pointWidth <= flat.length; at += pointWidth) {
    const [step = 0, loss = 0, lr = 0, seconds = 0] = flat.subarray(at, at + pointWidth);
    points.push({ step, loss, lr, seconds });
  }
  return points;
}
