/** The settings of the next run: a preset, the few things everyone sets, and what Advanced changed. */
import type { MemoryPlan, TrainingSettings } from "../workers/engine/api";
import type { EngineClient } from "../workers/engine/client";
import { fromFailure } from "../workers/failure";
import { finalCaption } from "./captions";
import type { Dataset } from "./dataset.svelte";
import type { Loras } from "./loras.svelte";
import type { Models } from "./models.svelte";
import { presets, recipe, type PresetId } from "./presets";
import { safeName } from "./promptTags";
import { knownSpeed } from "./speeds";

const defaultSize = 64;

export class TrainForm {
  settings = $state<TrainingSettings>(initialSettings());
  plan = $state.raw<MemoryPlan>();
  planError = $state("");
  /** Seconds per step of the last run like this one on this GPU; 0 when there was none. */
  measured = $state(0);

  #parts: { engine: EngineClient; models: Models; dataset: Dataset; loras: Loras };
  /** The person set a resolution of their own. */
  sizeTouched = $state(false);
  #nameTouched = false;
  #promptTouched = false;
  #paceTouched = false;

  constructor(parts: { engine: EngineClient; models: Models; dataset: Dataset; loras: Loras }) {
    this.#parts = parts;
  }

  /** What stands in the way of starting, in words; empty when nothing does. */
  problems = $derived.by(() => {
    const { dataset, models, loras } = this.#parts;
    const problems: string[] = [];
    if (models.report && !models.usable) problems.push("This browser has no usable GPU. See the Model room.");
    if (dataset.loaded && dataset.images.length === 0) problems.push("There are no pictures yet.");
    if (!safeName(this.settings.name)) problems.push("Give the LoRA a name of letters and digits.");
    if (loras.find(safeName(this.settings.name)))
      problems.push(`A LoRA named "${safeName(this.settings.name)}" exists already.`);
    return problems;
  });

  epochs = $derived.by(() => {
    const perEpoch = this.#parts.dataset.perEpoch;
    return perEpoch > 0 ? (this.settings.steps * this.settings.batchSize) / perEpoch : 0;
  });

  choosePreset(preset: PresetId): void {
    const nativeSize = this.#parts.models.current?.nativeSize ?? defaultSize;
    Object.assign(this.settings, recipe(preset, nativeSize), { preset, resolution: nativeSize });
  }

  /** Takes the preset's values for the model that is open now. */
  fitModel(): void {
    const preset = presets.find(({ id }) => id === this.settings.preset);
    this.choosePreset(preset?.id ?? "style");
  }

  rename(name: string): void {
    this.#nameTouched = true;
    this.settings.name = name;
  }

  change<K extends keyof TrainingSettings>(key: K, value: TrainingSettings[K]): void {
    if (key === "resolution") this.sizeTouched = true;
    if (key === "lrWarmupSteps" || key === "saveEvery") this.#paceTouched = true;
    if (key === "samplePrompt") this.#promptTouched = true;
    this.settings[key] = value;
    if (key === "steps" && !this.#paceTouched) this.#fitPace();
    // A rate of zero would train nothing; a tenth of the image network's is what presets elsewhere use.
    const { trainTextEncoder, textEncoderLearningRate, learningRate } = this.settings;
    if (trainTextEncoder && textEncoderLearningRate === 0)
      this.settings.textEncoderLearningRate = learningRate / 10;
  }

  /** Warm-up and checkpoints keep their place in a run that was made shorter or longer. */
  #fitPace(): void {
    const { steps, preset } = this.settings;
    const id = presets.find((one) => one.id === preset)?.id ?? "style";
    const usual = recipe(id, this.#parts.models.current?.nativeSize ?? defaultSize);
    this.settings.lrWarmupSteps = Math.round((steps * usual.lrWarmupSteps) / usual.steps);
    this.settings.saveEvery = Math.min(usual.saveEvery, Math.max(1, Math.ceil(steps / 4)));
  }

  /** Follows the dataset: name, trigger and sample prompt are proposed until the person writes their own. */
  propose(): void {
    const { dataset, loras } = this.#parts;
    this.settings.trigger = dataset.trigger;
    if (!this.#nameTouched) this.settings.name = freeName(safeName(dataset.trigger) || "my_style", loras);
    const first = dataset.images[0];
    if (!this.#promptTouched && first)
      this.settings.samplePrompt = finalCaption(dataset.trigger, first.caption);
  }

  /** A copy to start a run with; the name made safe for files and prompts. */
  snapshot(): TrainingSettings {
    const settings = $state.snapshot(this.settings);
    return { ...settings, name: safeName(settings.name), steps: Math.max(1, settings.steps) };
  }

  /** After a start, the next run gets a fresh name. */
  renew(): void {
    this.#nameTouched = false;
  }

  /** Asks the engine what a step would need. */
  async preflight(): Promise<void> {
    const { engine, models } = this.#parts;
    const model = models.current;
    if (!model) return;
    try {
      const settings = this.snapshot();
      const [plan, measured] = await Promise.all([
        engine.plan(model.id, settings),
        knownSpeed({ adapter: models.report?.name ?? "", modelHash: model.hash, settings }),
      ]);
      this.plan = plan;
      this.measured = measured;
      this.planError = "";
      // A kernel that does not compile is told when training needs it.
      if (this.problems.length === 0) void engine.warmUp(model.id, settings).catch(() => undefined);
    } catch (reason) {
      this.plan = undefined;
      this.planError = fromFailure(reason).message;
    }
  }
}

function initialSettings(): TrainingSettings {
  const base = {
    name: "my_style",
    preset: "style",
    trigger: "",
    resolution: defaultSize,
    seed: 42,
    samplePrompt: "",
  };
  return { ...base, ...recipe("style", defaultSize) };
}

/** `name`, or `name_2` and so on when a LoRA has it. */
function freeName(name: string, loras: Loras): string {
  let candidate = name;
  for (let number = 2; loras.find(candidate); number++) candidate = `${name}_${number}`;
  return candidate;
}
