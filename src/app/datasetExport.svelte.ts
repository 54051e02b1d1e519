/** The dataset as a zip that sd-scripts trains: planned here, written by a worker, handed to the browser's downloads. */
import { planExport, type ExportOptions } from "../dataset/exportPlan";
import { hasTrigger } from "../dataset/trigger";
import type { DatasetClient } from "../workers/dataset/client";
import { isAbort } from "../workers/failure";
import type { Dataset } from "./dataset.svelte";
import { download } from "./download";
import { plural } from "./format";
import { showError, showSuccess } from "./notices";
import { safeName } from "./promptTags";
import type { TrainForm } from "./trainForm.svelte";

export class DatasetExport {
  progress = $state.raw<{ done: number; total: number }>();
  /** Written into the captions when the person wants it; the captions are then no longer those that came. */
  writeTrigger = $state(false);
  applyCrops = $state(true);

  #parts: { dataset: Dataset; pictures: DatasetClient; form: TrainForm };
  #abort: AbortController | undefined;

  constructor(parts: { dataset: Dataset; pictures: DatasetClient; form: TrainForm }) {
    this.#parts = parts;
  }

  /** What other trainers would do differently with these files, counted. */
  differences = $derived.by(() => {
    const { images, trigger } = this.#parts.dataset;
    const isTurned = (notes: readonly string[]): boolean =>
      notes.some((note) => note.startsWith("Turned upright"));
    return {
      withoutTrigger: trigger.trim()
        ? images.filter(({ caption }) => !hasTrigger(trigger, caption)).length
        : 0,
      cropped: images.filter(({ crop }) => crop !== undefined).length,
      turned: images.filter(({ notes }) => isTurned(notes)).length,
      transparent: images.filter(({ alpha }) => alpha).length,
    };
  });

  async start(): Promise<void> {
    const { dataset, pictures, form } = this.#parts;
    const title = safeName(dataset.trigger) || "pictures";
    const options: ExportOptions = {
      title,
      trigger: dataset.trigger,
      writeTrigger: this.writeTrigger,
      applyCrops: this.applyCrops,
      alphaMask: dataset.isMasked,
      resolution: form.settings.resolution,
    };
    const abort = new AbortController();
    this.#abort = abort;
    const { entries, notes } = planExport(dataset.images, options);
    this.progress = { done: 0, total: entries.length };
    try {
      await dataset.saved();
      const report = (done: number): void => void (this.progress = { done, total: entries.length });
      const zip = await pictures.writeZip(entries, report, abort.signal);
      download(zip, `${title}-dataset.zip`);
      showSuccess(`Exported ${plural(dataset.images.length, "picture")}`, notes.join(" "));
    } catch (reason) {
      if (!isAbort(reason)) showError(reason);
    } finally {
      if (this.#abort === abort) this.progress = undefined;
    }
  }

  cancel(): void {
    this.#abort?.abort();
    this.progress = undefined;
  }
}
