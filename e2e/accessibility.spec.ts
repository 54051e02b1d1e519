/** WCAG 2.2 AA as far as a machine can tell, in the dark; the journey looks at the same rooms in the light. */
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { rooms } from "../src/app/router.svelte";

const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

test.use({ colorScheme: "dark" });

test("no room has an accessibility fault in the dark", async ({ page }) => {
  for (const room of rooms) {
    await page.goto(`/#/${room}`);
    await expect(page.locator('nav [aria-current="page"]')).toHaveAttribute("href", `#/${room}`);
    await expect(page.getByRole("main")).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).withTags(standards).analyze();
    const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
    expect(faults, `in the room ${room}`).toEqual([]);
  }
});
