/** What the doctor says about the dataset, kept up with every change; and its fixes. */
import type { Finding, Severity, Treatment } from "../dataset/doctor/types";
import type { DatasetClient } from "../workers/dataset/client";
import { isAbort } from "../workers/failure";
import type { Dataset } from "./dataset.svelte";
import { plural } from "./format";
import { showError } from "./notices";
import { presets } from "./presets";
import type { ImageEdit } from "./records";
import type { TrainForm } from "./trainForm.svelte";

export type { Finding };

/** A pause in the changes, in milliseconds, before the doctor looks again. */
const patience = 500;

export class Doctor {
  /** Most serious first. */
  findings = $state.raw<Finding[]>([]);
  /** The doctor has looked since the last change. */
  upToDate = $state(false);
  counts = $derived(countBySeverity(this.findings));
  /** Pictures with something worse than a hint, for marks on their cards. */
  concerned = $derived(
    new Set(
      this.findings
        .filter(({ severity }) => severity !== "hint")
        .flatMap(({ pictures }) => pictures.map(({ id }) => id)),
    ),
  );

  #parts: { dataset: Dataset; pictures: DatasetClient; form: TrainForm };
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: { dataset: Dataset; pictures: DatasetClient; form: TrainForm }) {
    this.#parts = parts;
  }

  /** Looks again whenever something changes that a check depends on; for a component's effect. */
  follow(): void {
    const { dataset, form } = this.#parts;
    const { images, trigger, importing } = dataset;
    const { resolution, preset } = form.settings;
    void [images, trigger, resolution, preset];
    this.upToDate = false;
    clearTimeout(this.#timer);
    this.#abort?.abort();
    // During an import every picture would start an examination.
    if (importing) return;
    this.#timer = setTimeout(() => void this.#examine(), patience);
  }

  async #examine(): Promise<void> {
    const { dataset, pictures, form } = this.#parts;
    const abort = new AbortController();
    this.#abort = abort;
    const patients = dataset.images.map(({ id, name, width, height, repeats, caption, look }) => ({
      id,
      name,
      width,
      height,
      repeats,
      caption,
      look,
    }));
    const preset = presets.find(({ id }) => id === form.settings.preset)?.id ?? "style";
    const question = { resolution: form.settings.resolution, trigger: dataset.trigger, preset };
    try {
      this.findings = await pictures.examine(patients, question, abort.signal);
      this.upToDate = true;
    } catch (reason) {
      if (!isAbort(reason)) showError(reason);
    }
  }

  /** Does what one finding proposes, as one step that Undo takes back. @returns how many pictures changed */
  fix(finding: Finding): number {
    return this.#treat(finding.fix?.label ?? "", finding.fix?.treatments ?? []);
  }

  /** Does everything that any finding proposes, as one step. */
  fixAll(): number {
    const treatments = this.findings.flatMap(({ fix }) => fix?.treatments ?? []);
    return this.#treat(
      `Doctor: fix ${plural(new Set(treatments.map(({ id }) => id)).size, "picture")}`,
      treatments,
    );
  }

  #treat(label: string, treatments: readonly Treatment[]): number {
    return this.#parts.dataset.change(label, editsFor(treatments));
  }
}

/** One edit per picture; what leaves the dataset needs no other change. */
function editsFor(treatments: readonly Treatment[]): ImageEdit[] {
  const removedAt = Date.now();
  const edits = new Map<string, ImageEdit>();
  for (const { id, remove, caption, repeats } of treatments) {
    const edit = edits.get(id) ?? { id };
    if (remove) edit.removedAt = removedAt;
    // Two findings may both shorten a caption: the first, more serious one counts, and the other is found again.
    if (caption !== undefined && edit.caption === undefined)
      Object.assign(edit, { caption, captionSource: "person" });
    if (repeats !== undefined) edit.repeats = repeats;
    edits.set(id, edit);
  }
  return [...edits.values()].map((edit) =>
    edit.removedAt === undefined ? edit : { id: edit.id, removedAt },
  );
}

function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const counts = { problem: 0, warning: 0, hint: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
}
