/** Golden kind `lora-step`: one training step → loss and the gradient of every LoRA tensor. */
import { Checks, toleranceOf } from "../compare";
import { floats, goldenModel, params } from "../gpu/goldenModel";
import { goldenStep, unbuiltOption } from "../gpu/goldenStep";
import type { VerifyCase, VerifyEnv, VerifyKind, VerifyOutcome } from "../types";

export const kind: VerifyKind = { name: "lora-step", run: step };

async function step(c: VerifyCase, env: VerifyEnv): Promise<VerifyOutcome> {
  const unbuilt = unbuiltOption(params(c));
  if (unbuilt) return { status: "skipped", detail: `${unbuilt} is not built yet` };
  const { prediction, losses, gradients } = await goldenStep(c, await goldenModel(c, env));
  const checks = new Checks();
  checks.close("pred", prediction, (await floats(c, "pred")).data, toleranceOf(c.case));
  const loss = losses.reduce((total, one) => total + one, 0) / losses.length;
  const limits = c.case["tolerance"] as { loss_rel: number; grad_rel: number };
  checks.close("loss", [loss], [Number(c.case["loss"])], { rel: limits.loss_rel, abs: 0 });
  await checkGradients(c, gradients, limits.grad_rel, checks);
  return checks.outcome();
}

async function checkGradients(
  c: VerifyCase,
  gradients: ReadonlyMap<string, Float32Array>,
  limit: number,
  checks: Checks,
): Promise<void> {
  const total = Number(c.case["grad_norm"]);
  const close = (key: string, difference: number, reference: number) =>
    checks.that(
      `${key}: off by ${(difference / Math.max(reference, 1e-4 * total)).toExponential(2)}`,
      difference <= limit * Math.max(reference, 1e-4 * total),
    );
  let compared = 0;
  for (const name of (await c.tensors()).keys()) {
    if (!name.startsWith("grad.")) continue;
    const expected = (await floats(c, name)).data;
    const actual = gradients.get(name.slice("grad.".length));
    close(
      name,
      actual ? norm(expected.map((value, i) => value - (actual[i] ?? 0))) : Infinity,
      norm(expected),
    );
    compared++;
  }
  for (const [key, expected] of Object.entries((c.case["grad_norms"] ?? {}) as Record<string, number>)) {
    close(key, Math.abs(norm(gradients.get(key) ?? new Float32Array()) - expected), expected);
    compared++;
  }
  for (const key of (c.case["no_grad"] ?? []) as string[])
    checks.that(`${key} has a gradient`, norm(gradients.get(key) ?? new Float32Array()) === 0);
  checks.that("no gradient was compared", compared > 0);
}

function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
