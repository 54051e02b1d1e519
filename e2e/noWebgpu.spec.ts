/** Without WebGPU the page says what to do about it (T-A4). */
import { launchOptions } from "./launch";
import { expect, test } from "./session";

const { args = [], ...launch } = launchOptions();
const others = args.filter((arg) => !/webgpu|Vulkan/i.test(arg));
test.use({ launchOptions: { ...launch, args: [...others, "--disable-features=WebGPUService"] } });

test("T-A4: the Model room tells how to turn it on, and nothing can be started", async ({ page, person }) => {
  await person.visit("model");
  await expect(page.getByRole("alert")).toContainText(/chrome:\/\/flags|graphics acceleration/);
  await expect(page.locator("a.gpu")).toHaveText(/No usable GPU/);
  await person.visit("train");
  await expect(page.getByRole("button", { name: "Start training" })).toHaveCount(0);
  await person.visit("try");
  await expect(page.getByRole("button", { name: "Generate" })).toBeDisabled();
});
