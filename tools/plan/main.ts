/**
 * `npm run plan`: what one training step needs, from shapes alone. No GPU, no weights.
 *
 * The plan is that of a graphics processor (tiled kernels, f16 activations), not of the machine it runs on.
 */
import { Command, Option } from "commander";
import { planFlops, type FlopsByKind } from "../../src/engine/cost";
import type { ExecutionPlan } from "../../src/engine/planner";
import { GPU_POLICY } from "../../src/engine/policy";
import type { WeightType } from "../../src/engine/tensor";
import type { CheckpointConfig, FamilyName } from "../../src/formats/checkpoint/config";
import { detectCheckpoint } from "../../src/formats/checkpoint/detect";
import { fullSizeConfig } from "../../src/formats/checkpoint/fullSize";
import type { RecomputeChoice } from "../../src/training/leastRecompute";
import { planStep } from "../../src/workers/engine/planStep";
import { openFileSource } from "../lib/fileSource";
import { reportingErrors } from "../lib/errors";

interface PlanOptions {
  readonly model?: string;
  readonly family: FamilyName;
  readonly size: string;
  readonly batch: string;
  readonly rank: string;
  readonly quant: WeightType;
  readonly recompute: "auto" | "on" | "off";
  readonly json?: boolean;
}

/** Above this many bytes `--recompute auto` redoes as many activations as that asks for. */
const AUTO_LIMIT = 6e9;

await reportingErrors(async () => {
  const command = new Command("plan")
    .option("--model <file>", "a checkpoint; only its header is read")
    .addOption(
      new Option("--family <name>", "a full-size model without a file")
        .choices(["sd1", "sd2", "sdxl"])
        .default("sd1"),
    )
    .option("--size <px>", "edge of the training picture", "512")
    .option("--batch <n>", "pictures per step", "1")
    .option("--rank <r>", "LoRA rank", "16")
    .addOption(
      new Option("--quant <type>", "how frozen weights lie in memory")
        .choices(["f32", "f16", "q8", "q4"])
        .default("q8"),
    )
    .addOption(
      new Option("--recompute <mode>", "redo activations in the backward pass")
        .choices(["auto", "on", "off"])
        .default("auto"),
    )
    .option("--json", "print JSON only")
    .parse(process.argv);
  const options = command.opts<PlanOptions>();
  const plan = await choosePlan(options);
  const report = planReport(plan);
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : planText(options, report));
});

async function choosePlan(options: PlanOptions): Promise<ExecutionPlan> {
  const config = await configOf(options);
  const memoryLimit = options.recompute === "auto" ? AUTO_LIMIT / 2 ** 30 : 0;
  return planFor(config, options, { recompute: options.recompute !== "off", memoryLimit });
}

async function configOf({ model, family }: PlanOptions): Promise<CheckpointConfig> {
  if (!model) return fullSizeConfig(family);
  const source = await openFileSource(model);
  try {
    return (await detectCheckpoint(source)).config;
  } finally {
    await source.close();
  }
}

function planFor(config: CheckpointConfig, options: PlanOptions, recompute: RecomputeChoice): ExecutionPlan {
  return planStep(
    config,
    {
      quantisation: options.quant,
      resolution: Number(options.size),
      batchSize: Number(options.batch),
      rank: Number(options.rank),
      trainTextEncoder: false,
      clipSkip: 1,
      ...recompute,
    },
    GPU_POLICY,
  ).plan;
}

interface PlanReport {
  readonly dispatches: number;
  readonly dispatches_by_op: Readonly<Record<string, number>>;
  readonly flops: FlopsByKind;
  readonly bytes: ExecutionPlan["bytes"];
  readonly largest_binding: number;
}

function planReport(plan: ExecutionPlan): PlanReport {
  const byOp = new Map<string, number>();
  for (const { node } of plan.calls) {
    const key = node.phase === "recompute" ? `${node.op.name} (again)` : node.op.name;
    byOp.set(key, (byOp.get(key) ?? 0) + 1);
  }
  const sorted = [...byOp].sort(([, a], [, b]) => b - a);
  return {
    dispatches: plan.calls.length,
    dispatches_by_op: Object.fromEntries(sorted),
    flops: planFlops(plan),
    bytes: plan.bytes,
    largest_binding: plan.largestBinding,
  };
}

function planText(
  options: PlanOptions,
  { dispatches, dispatches_by_op, flops, bytes, largest_binding }: PlanReport,
): string {
  const what = options.model ?? `${options.family}, full size`;
  const tera = (value: number) => `${(value / 1e12).toFixed(3)} TFLOP`;
  const mebi = (value: number) => `${(value / 2 ** 20).toFixed(1)} MiB`;
  const lines = [
    `One training step of ${what}: ${options.size} px, batch ${options.batch}, rank ${options.rank}, weights ${options.quant}`,
    "",
    `work        ${tera(flops.total)}  (conv ${tera(flops.conv)}, linear ${tera(flops.linear)}, attention ${tera(flops.attention)}, LoRA ${tera(flops.lora)}, other ${tera(flops.other)}; redone ${tera(flops.recompute)})`,
    `dispatches  ${dispatches}`,
    ...Object.entries(dispatches_by_op).map(
      ([op, count]) => `              ${String(count).padStart(5)}  ${op}`,
    ),
    `memory      ${mebi(bytes.total)}`,
    `              ${mebi(bytes.weights).padStart(12)}  frozen weights`,
    `              ${mebi(bytes.activations).padStart(12)}  saved activations`,
    `              ${mebi(bytes.scratch).padStart(12)}  scratch`,
    `              ${mebi(bytes.lora).padStart(12)}  LoRA values, gradients, moments`,
    `              ${mebi(bytes.staging).padStart(12)}  inputs, uniforms, readback`,
    `largest binding ${mebi(largest_binding)}`,
  ];
  return `${lines.join("\n")}\n`;
}
