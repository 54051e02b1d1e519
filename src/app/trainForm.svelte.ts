/** The settings of the next run: a preset, the few things everyone sets, and what Advanced changed. */
import { InternalError } from "../base/errors";
import type { PlannedChoice, Quantisation, StepChoice, TrainingSettings } from "../workers/engine/api";
import type { EngineClient } from "../workers/engine/client";
import { fromFailure } from "../workers/failure";
import type { Field } from "./fields";
import { finalCaption } from "./captions";
import type { Dataset } from "./dataset.svelte";
import type { GpuMemory } from "./gpuMemory.svelte";
import type { Loras } from "./loras.svelte";
import { chooseMemory, type MemoryChoice } from "./memoryChoice";
import type { Models } from "./models.svelte";
import { presets, recipe, type PresetId, type RecipeModel } from "./presets";
import { safeName } from "./promptTags";
import { knownSpeed } from "./speeds";

const defaultModel: RecipeModel = { family: "sd1", nativeSize: 64 };

interface Parts {
  engine: EngineClient;
  models: Models;
  dataset: Dataset;
  loras: Loras;
  gpuMemory: GpuMemory;
}

export class TrainForm {
  settings = $state<TrainingSettings>(initialSettings());
  /** What a step needs, and what of it was chosen for want of memory. */
  memory = $state.raw<MemoryChoice>();
  planError = $state("");
  /** Seconds per step of the last run like this one on this GPU; 0 when there was none. */
  measured = $state(0);

  /** The person decided what is computed twice; until then the plan does. */
  memoryDecided = $state(false);

  #parts: Parts;
  /** The kind of model whose preset is set. */
  #fitted = kindOf(defaultModel);
  #turn = 0;
  /** The choice that `memory` was planned for. */
  #plannedFor = "";
  /** The person set a resolution of their own. */
  sizeTouched = $state(false);
  #nameTouched = false;
  #promptTouched = false;
  #paceTouched = false;

  constructor(parts: Parts) {
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
    const model = this.#parts.models.current ?? defaultModel;
    Object.assign(this.settings, recipe(preset, model), { preset, resolution: model.nativeSize });
    this.memoryDecided = false;
  }

  /** Takes the preset's values for the model that is open now, unless they are those of such a model already. */
  fitModel(model: RecipeModel): void {
    const kind = kindOf(model);
    if (this.sizeTouched || kind === this.#fitted) return;
    this.#fitted = kind;
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
    if (key === "gradientCheckpointing" || key === "memoryLimit") {
      this.memoryDecided = true;
      this.#turn++;
    }
    this.settings[key] = value;
    if (key === "steps" && !this.#paceTouched) this.#fitPace();
    // A rate of zero would train nothing; a tenth of the image network's is what presets elsewhere use.
    const { trainTextEncoder, textEncoderLearningRate, learningRate } = this.settings;
    if (trainTextEncoder && textEncoderLearningRate === 0)
      this.settings.textEncoderLearningRate = learningRate / 10;
  }

  /** What was entered in a field of the Advanced list; another kind of value than the field's is no change. */
  enter(field: Field, value: number | boolean | string): void {
    if (field.kind === "number" && typeof value === "number") this.change(field.key, value);
    if (field.kind === "toggle" && typeof value === "boolean") this.change(field.key, value);
    if (field.kind === "text" && typeof value === "string") this.change(field.key, value);
    const option = field.kind === "choice" && field.options.find((one) => one.value === value);
    if (option) this.change(field.key, option.value);
  }

  /** Warm-up and checkpoints keep their place in a run that was made shorter or longer. */
  #fitPace(): void {
    const { steps, preset } = this.settings;
    const id = presets.find((one) => one.id === preset)?.id ?? "style";
    const usual = recipe(id, this.#parts.models.current ?? defaultModel);
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

  /** What decides the memory of a step of these settings. */
  stepChoice(quantisation: Quantisation): StepChoice {
    const { resolution, batchSize, rank, trainTextEncoder, clipSkip } = this.settings;
    const { gradientCheckpointing, memoryLimit } = this.settings;
    return {
      ...{ quantisation, resolution, batchSize, rank, trainTextEncoder, clipSkip, memoryLimit },
      recompute: gradientCheckpointing,
    };
  }

  /** Leaves to the plan again what is computed twice. */
  async leaveMemoryToPlan(): Promise<void> {
    this.memoryDecided = false;
    await this.preflight();
  }

  /** Asks the engine what a step would need, and keeps or redoes activations as that fits. */
  async preflight(): Promise<void> {
    const { engine, models } = this.#parts;
    const model = models.current;
    if (!model) return;
    const turn = ++this.#turn;
    try {
      const memory = await this.#chooseMemory(model.id, model.quantisation);
      if (turn !== this.#turn) return;
      this.memory = memory;
      const { recompute, memoryLimit } = memory.planned.choice;
      Object.assign(this.settings, { gradientCheckpointing: recompute, memoryLimit });
      this.#plannedFor = this.#wanted();
      const settings = this.snapshot();
      this.measured = await knownSpeed({
        adapter: models.report?.name ?? "",
        modelHash: model.hash,
        settings,
      });
      this.planError = "";
      // A kernel that does not compile is told when training needs it.
      if (this.problems.length === 0)
        void engine.warmUp(model.id, memory.planned.choice).catch(() => undefined);
    } catch (reason) {
      if (turn !== this.#turn) return;
      this.memory = undefined;
      this.planError = fromFailure(reason).message;
    }
  }

  /** Before a run: nothing starts on the plan of other settings. */
  async settle(): Promise<void> {
    if (this.#plannedFor !== this.#wanted()) await this.preflight();
  }

  #wanted(): string {
    const { id = "", quantisation = "f32" } = this.#parts.models.current ?? {};
    return JSON.stringify([id, this.stepChoice(quantisation), this.#parts.gpuMemory.limit]);
  }

  #chooseMemory(modelId: string, quantisation: Quantisation): Promise<MemoryChoice> {
    const { engine, gpuMemory } = this.#parts;
    const wish = {
      present: this.stepChoice(quantisation),
      isDecided: this.memoryDecided,
      limit: gpuMemory.limit / 2 ** 30,
    };
    return chooseMemory(wish, {
      fit: (planned) => gpuMemory.fit(planned),
      plan: async (choice): Promise<PlannedChoice> => {
        const [planned] = await engine.planChoices(modelId, [choice]);
        if (!planned) throw new InternalError("a choice was not planned");
        return planned;
      },
    });
  }
}

function kindOf({ family, nativeSize }: RecipeModel): string {
  return `${family} ${nativeSize}`;
}

function initialSettings(): TrainingSettings {
  const base = {
    name: "my_style",
    preset: "style",
    trigger: "",
    resolution: defaultModel.nativeSize,
    seed: 42,
    samplePrompt: "",
  };
  return { ...base, ...recipe("style", defaultModel) };
}

/** `name`, or `name_2` and so on when a LoRA has it. */
function freeName(name: string, loras: Loras): string {
  let candidate = name;
  for (let number = 2; loras.find(candidate); number++) candidate = `${name}_${number}`;
  return candidate;
}
