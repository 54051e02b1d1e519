/** All runs: started, resumed, listed with their last checkpoint, removed. One of them may be live in this tab. */
import { WeftError } from "../base/errors";
import { Records } from "../storage/records";
import { CheckpointSlots, type Slot } from "../storage/slots";
import type { TrainingSettings, TrainOutcome } from "../workers/engine/api";
import { fromFailure, isAbort } from "../workers/failure";
import { keepAwake, lockedRuns, warnBeforeClose, withRunLock } from "./guards";
import { LiveRun } from "./liveRun.svelte";
import { showError, showSuccess, showWarning } from "./notices";
import { parseRun, type RunRecord } from "./records";
import { engineIsGone, Recoveries } from "./recovery";
import { RunLog, removeRunLog } from "./runLog.svelte";
import { describeRun, readImages, hasOtherWeights, requireSame, type RunParts } from "./runSetup";
import { rememberSpeed } from "./speeds";

export class Runs {
  list = $state.raw<RunRecord[]>([]);
  live = $state.raw<LiveRun>();
  /** Runs that another tab is training. */
  elsewhere = $state.raw<ReadonlySet<string>>(new Set());

  readonly slots = new CheckpointSlots("weft-checkpoints");
  #parts: RunParts;
  #recoveries = new Recoveries();
  /** The run to go on with as soon as the failed attempt is cleaned up. */
  #recovering: string | undefined;
  #records = new Records("weft-runs", parseRun);

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** Lists the runs; those that a killed tab left "training" become "interrupted". */
  async start(): Promise<void> {
    const [stored, locked] = await Promise.all([this.#records.all(), lockedRuns()]);
    this.elsewhere = locked;
    this.list = stored.map((run) =>
      isUnderWay(run) && !locked.has(run.id) ? { ...run, status: "interrupted" as const } : run,
    );
    this.#sort();
  }

  find(id: string): RunRecord | undefined {
    return this.list.find((run) => run.id === id);
  }

  /** Begins a run with the present model and dataset. @returns its id; training goes on in the background. */
  async begin(settings: TrainingSettings): Promise<string> {
    this.#refuseSecondRun();
    const model = await this.#parts.models.ready();
    const record = await describeRun(this.#parts, settings, model);
    await this.update(record.id, record);
    void this.#run(record);
    return record.id;
  }

  /** Goes on from the last checkpoint. @throws `dataset-changed`, `model-changed`, `no-checkpoint`. */
  async resume(id: string): Promise<void> {
    this.#refuseSecondRun();
    const record = this.find(id);
    if (!record) return;
    const checkpoint = await this.slots.latest(id);
    if (!checkpoint)
      throw new WeftError(
        "no-checkpoint",
        `"${record.settings.name}" stopped before its first checkpoint.`,
        "Start it again.",
      );
    await requireSame(this.#parts, record);
    if (hasOtherWeights(this.#parts, record))
      showWarning(
        "The model's weights are stored with another precision than when this run began: it goes on, with slightly other rounding.",
      );
    void this.#run({ ...record, step: checkpoint.step }, checkpoint);
  }

  /** The LoRA of the last checkpoint of a run that did not end. */
  async savedLora(id: string): Promise<Slot | undefined> {
    return this.slots.latest(id);
  }

  async remove(id: string): Promise<void> {
    await this.#records.remove(id);
    await Promise.all([this.slots.remove(id), removeRunLog(id)]);
    this.list = this.list.filter((run) => run.id !== id);
  }

  /** Changes a record here and on disk. */
  async update(id: string, change: Partial<RunRecord>): Promise<void> {
    const old = this.find(id);
    const record = parseRun({ ...old, ...change, updatedAt: Date.now() });
    if (!record) throw new WeftError("internal", `internal: run record ${id} is incomplete`);
    this.list = old ? this.list.map((run) => (run.id === id ? record : run)) : [record, ...this.list];
    await this.#records.put(record);
  }

  #refuseSecondRun(): void {
    if (this.live)
      throw new WeftError("busy", "A run is already under way.", "Stop it or wait until it is finished.");
  }

  async #run(record: RunRecord, checkpoint?: Slot): Promise<void> {
    const log = await new RunLog(record.id).load();
    if (checkpoint) log.rewind(checkpoint.step);
    const live = new LiveRun(record, log, this);
    this.live = live;
    const releases = [keepAwake(), warnBeforeClose()];
    try {
      const owned = await withRunLock(record.id, () => this.#train(record, live, checkpoint));
      if (!owned)
        throw new WeftError(
          "other-tab",
          "Another tab is training this run.",
          "Watch it there, or close that tab.",
        );
    } catch (reason) {
      await this.#fail(record, reason);
    } finally {
      for (const release of releases) release();
      this.live = undefined;
    }
    if (this.#recovering === record.id) await this.#recover(record.id);
  }

  /** The GPU came back: goes on from the last checkpoint. */
  async #recover(id: string): Promise<void> {
    this.#recovering = undefined;
    const step = this.find(id)?.savedStep ?? 0;
    await this.resume(id).then(
      () => showWarning("The GPU restarted.", `The run goes on from step ${step}.`),
      (reason: unknown) => showError(reason),
    );
  }

  async #train(record: RunRecord, live: LiveRun, checkpoint: Slot | undefined): Promise<void> {
    const model = await this.#parts.models.ready();
    await this.update(record.id, {
      status: "training",
      message: undefined,
      adapter: this.#parts.models.report?.name ?? "",
    });
    const images = await readImages(this.#parts, record.settings, live);
    const resumeFrom = checkpoint && {
      step: checkpoint.step,
      checksum: checkpoint.checksum,
      bytes: checkpoint.bytes,
    };
    const request = { runId: record.id, modelId: model.id, settings: record.settings, images };
    const outcome = await live.train(this.#parts.engine, resumeFrom ? { ...request, resumeFrom } : request);
    await this.#finish(record, live, outcome);
  }

  async #finish(record: RunRecord, live: LiveRun, outcome: TrainOutcome): Promise<void> {
    const { status, steps, seconds, fixedNoiseLoss } = outcome;
    const ended = {
      status,
      step: steps,
      seconds,
      secondsPerStep: live.secondsPerStep,
      ...(fixedNoiseLoss && { fixedNoiseLoss }),
    };
    const lora = await live.insist(async () => {
      const added = await this.#parts.loras.add({ ...record, ...ended }, outcome.lora, steps);
      await live.log.save();
      await this.update(record.id, { ...ended, loraId: added.id });
      return added;
    });
    const adapter = this.#parts.models.report?.name ?? "";
    const kind = { adapter, modelHash: record.model.hash, settings: record.settings };
    await rememberSpeed(kind, live.secondsPerStep).catch(() => undefined);
    showSuccess(
      status === "finished" ? `"${lora.name}" is ready` : `Stopped at step ${steps}`,
      "Try it, or download the file.",
    );
  }

  async #fail(record: RunRecord, reason: unknown): Promise<void> {
    const { code } = fromFailure(reason);
    const saved = this.find(record.id)?.savedStep ?? 0;
    if (engineIsGone(code)) {
      this.#parts.models.forget();
      if (saved > 0 && this.#recoveries.allow(Date.now())) this.#recovering = record.id;
    }
    // Stopped before the first step: nothing is worth keeping.
    if (isAbort(reason) && saved === 0) return this.remove(record.id);
    if (!isAbort(reason) && !this.#recovering) showError(reason);
    const status = saved > 0 ? "interrupted" : "failed";
    await this.update(record.id, { status, message: fromFailure(reason).message }).catch(showError);
  }

  #sort(): void {
    this.list = this.list.toSorted((a, b) => b.createdAt - a.createdAt);
  }
}

function isUnderWay(run: RunRecord): boolean {
  return run.status === "training" || run.status === "paused";
}
