/** Without a GPU the page says what to do (T-A4); it looks right in the dark and on a phone. */
import AxeBuilder from "@axe-core/playwright";
import { launchOptions } from "./launch";
import { expect, test } from "./session";

const { args = [], ...launch } = launchOptions();
const withoutWebgpu = args.filter((arg) => !/webgpu|Vulkan/i.test(arg));

test.describe("a browser without WebGPU", () => {
  test.use({ launchOptions: { ...launch, args: [...withoutWebgpu, "--disable-features=WebGPUService"] } });

  test("T-A4: is told how to turn it on", async ({ page, person }) => {
    await person.visit("model");
    const alert = page.getByRole("alert");
    await expect(alert).toContainText(/chrome:\/\/flags|graphics acceleration/);
    await expect(page.locator("a.gpu")).toHaveText(/No usable GPU/);
    await person.visit("train");
    await expect(page.getByRole("button", { name: "Start training" })).toHaveCount(0);
  });
});

test.describe("in the dark on a phone", () => {
  test.use({ colorScheme: "dark", viewport: { width: 390, height: 844 } });

  test("T-A1: every empty room is readable and nothing sticks out", async ({ page, person }) => {
    for (const room of ["model", "dataset", "train", "try", "share"] as const) {
      await person.visit(room);
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
      expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => `${room}: ${id}`)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, room).toBeLessThanOrEqual(0);
    }
  });
});
