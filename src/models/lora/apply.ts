/**
 * LoRA files on a model for sampling. Plain LoRA on matrices stays beside the weights (several files side by side, so
 * a strength is a rewrite of a small buffer); every other kind is baked into the weights it changes.
 */
import { ParameterBuffers, ParameterLayout } from "../../engine/parameters";
import { GraphBuilder } from "../../engine/graph";
import { applyToBias, applyToWeight } from "../../formats/lora/merge";
import { loraTargets } from "../../formats/lora/modules";
import type { LoadedLora, LoadedModule } from "../../formats/lora/read";
import { CLIP_LENGTH } from "../../formats/tokenizer/clipTokenizer";
import { declareConditions } from "../inputs/conditions";
import type { ActiveLora, LoadedModel, WeightOverrides } from "../loadedModel";
import { declareText } from "../inputs/text";
import { bindTarget, LoraBinding, type LoraTarget } from "./binding";
import { stackLoras, stackedRank, type LoraMatrices, type WeightedLora } from "./flatValues";

/** A LoRA (a file, or the live matrices of a run) and how strongly it acts; 0 leaves it out. */
export interface LoraUse {
  readonly lora: LoadedLora | readonly LoraMatrices[];
  readonly unet: number;
  readonly te: number;
}

/** Holds the buffers of the LoRAs in use; one per model. */
export class LoraStack {
  readonly #model: LoadedModel;
  readonly #byRank = new Map<number, ActiveLora>();
  /** Modules whose LoRA can lie beside the weights: those the model's graphs bind. */
  readonly #beside: ReadonlySet<string>;

  constructor(model: LoadedModel) {
    this.#model = model;
    const probe = new LoraBinding(matrixTargets(model), 4, 1);
    declareParameters(model, probe, new ParameterLayout());
    this.#beside = new Set(
      probe.groups.flatMap(({ targets }) => targets.flatMap((target) => target?.name ?? [])),
    );
  }

  /**
   * Makes exactly these LoRAs act on the model.
   * @returns what to pass to the model's programs; undefined when no plain LoRA acts
   */
  async use(uses: readonly LoraUse[]): Promise<ActiveLora | undefined> {
    const acting = uses.filter(({ unet, te }) => unet !== 0 || te !== 0);
    const isPlain = (module: LoadedModule) => this.#beside.has(module.name) && isPlainLora(module);
    await this.#model.overrideWeights(bakedWeights(acting, isPlain));
    const weighted = acting
      .map((use) => weightedLora(use, isPlain))
      .filter(({ modules }) => modules.size > 0);
    const rank = 4 * Math.ceil(stackedRank(weighted) / 4);
    if (rank === 0) return undefined;
    const active = this.#active(rank);
    active.buffers.write("parameter", stackLoras(active.buffers.layout, active.binding.groups, weighted));
    return active;
  }

  dispose(): void {
    for (const { buffers } of this.#byRank.values()) buffers.dispose();
    this.#byRank.clear();
  }

  #active(rank: number): ActiveLora {
    const known = this.#byRank.get(rank);
    if (known) return known;
    const binding = new LoraBinding(matrixTargets(this.#model), rank, 1);
    const layout = new ParameterLayout();
    declareParameters(this.#model, binding, layout);
    const active = { binding, buffers: new ParameterBuffers(this.#model.device, layout, ["parameter"]) };
    this.#byRank.set(rank, active);
    return active;
  }
}

/** Every matrix LoRA files can name on this model. */
function matrixTargets(model: LoadedModel): LoraTarget[] {
  return loraTargets(model.config)
    .filter(({ kind }) => kind === "linear" || kind === "conv1x1")
    .map(bindTarget);
}

/** Builds the graphs once without compiling them, so that the layout knows every parameter. */
function declareParameters(
  { family, config, activationType }: LoadedModel,
  lora: LoraBinding,
  parameters: ParameterLayout,
): void {
  const graph = new GraphBuilder({ activationType, parameters });
  family.buildText(graph, config, declareText(graph, family, config, 1), { clipSkip: 1, lora });
  const latents = graph.input("latents", [1, 8, 8, config.vae.latentChannels], activationType);
  const conditions = declareConditions(graph, family, config, 1, CLIP_LENGTH);
  family.buildUnet(graph, config, { latents, ...conditions }, lora);
}

function isPlainLora({ kind, tensors }: LoadedModule): boolean {
  return (
    kind === "lora" && !tensors.has("dora_scale") && !tensors.has("lora_mid.weight") && !tensors.has("diff_b")
  );
}

function weightedLora({ lora, unet, te }: LoraUse, isPlain: (module: LoadedModule) => boolean): WeightedLora {
  const modules = new Map<string, LoraMatrices>();
  if (!("modules" in lora))
    return { modules: new Map(lora.map((one) => [one.name, one])), unetStrength: unet, textStrength: te };
  for (const module of lora.modules) {
    const down = module.tensors.get("lora_down.weight");
    const up = module.tensors.get("lora_up.weight");
    if (!isPlain(module) || !down || !up) continue;
    const rank = down.shape[0] ?? 0;
    const { inFeatures: inputs, outFeatures: outputs } = module.target;
    modules.set(module.name, {
      name: module.name,
      rank,
      alpha: module.alpha ?? rank,
      inputs,
      outputs,
      down: down.data,
      up: up.data,
    });
  }
  return { modules, unetStrength: unet, textStrength: te };
}

/** What the remaining kinds make of the weights and biases they change, LoRA after LoRA. */
function bakedWeights(uses: readonly LoraUse[], isPlain: (module: LoadedModule) => boolean): WeightOverrides {
  const overrides = new Map<string, (values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>>();
  const append = (key: string, change: (values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>) => {
    const earlier = overrides.get(key);
    overrides.set(key, earlier ? (values) => change(earlier(values)) : change);
  };
  for (const { lora, unet, te } of uses) {
    if (!("modules" in lora)) continue;
    for (const module of lora.modules.filter((one) => !isPlain(one))) {
      const { checkpointKey, biasKey, part, firstRow } = module.target;
      const strength = part === "unet" ? unet : te;
      append(checkpointKey, (values) => changeRows(values, firstRow, module, strength));
      if (biasKey) append(biasKey, (values) => applyToBias(values, module, strength));
    }
  }
  return overrides;
}

/** Applies a module to its rows of a tensor (all of it, unless q, k and v are stacked). */
function changeRows(
  values: Float32Array<ArrayBuffer>,
  firstRow: number | undefined,
  module: LoadedModule,
  strength: number,
): Float32Array<ArrayBuffer> {
  if (firstRow === undefined) return applyToWeight(values, module, strength);
  const { inFeatures, outFeatures } = module.target;
  const begin = firstRow * inFeatures;
  const result = values.slice();
  result.set(applyToWeight(values.slice(begin, begin + outFeatures * inFeatures), module, strength), begin);
  return result;
}
