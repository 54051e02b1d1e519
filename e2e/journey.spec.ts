/** The main job as a person does it, with every request watched and every room examined (T-P1, T-P2, T-A1). */
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { createHash } from "node:crypto";
import { expect, test } from "./session";

test.setTimeout(20 * 60_000);

/** A word in the prompt and trigger that must not leave the machine. */
const canary = "zqcanary";

async function examine(page: Page, room: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, nodes }) => `${room}: ${id} at ${nodes.map(({ target }) => target).join(" | ")}`),
  ).toEqual([]);
}

test("pictures in, a LoRA out, nothing sent anywhere", async ({ page, context, person, baseURL }) => {
  const requests: string[] = [];
  context.on("request", (request) =>
    requests.push(`${request.method()} ${request.url()} ${request.postData() ?? ""}`),
  );

  await person.openModel(undefined);
  await examine(page, "model");
  await person.visit("dataset");
  await examine(page, "empty dataset");
  const { used, refused } = await person.addPictures(undefined);
  expect(used).toBeGreaterThan(30);
  expect(refused).toEqual([]);
  await page.getByLabel("Trigger word").fill(canary);
  await examine(page, "dataset");

  const { name } = await person.setUpTraining({
    steps: 2,
    size: 64,
    seed: 3,
    advanced: { batchSize: 1, rank: 2, fixedNoiseDraws: 2 },
  });
  await examine(page, "train");
  await person.start();
  const file = await person.downloadLora();
  await examine(page, "run");

  const header = file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString();
  const keys = Object.keys(JSON.parse(header) as object);
  expect(keys).toContain("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight");
  expect(header).toContain(`"ss_output_name":"${name}"`);

  await person.generate({
    prompt: `${canary}, a house <lora:${name}:0.8>`,
    seed: 1,
    size: 64,
    file: "after.png",
    steps: 2,
  });
  await expect(page.getByTestId("result")).toBeVisible();
  await examine(page, "try");

  await person.visit("share");
  await page.getByText("Hashes").click();
  await expect(page.getByTestId("sha256")).toHaveText(createHash("sha256").update(file).digest("hex"));
  await examine(page, "share");

  const foreign = requests.filter(
    (request) => !request.includes(` ${baseURL ?? ""}`) && !/ (blob|data):/.test(request),
  );
  expect(foreign, "every request goes to this site").toEqual([]);
  expect(
    requests.filter((request) => !request.startsWith("GET ")),
    "nothing is sent",
  ).toEqual([]);
  expect(
    requests.filter((request) => request.includes(canary)),
    "no word of the person leaves",
  ).toEqual([]);
});
