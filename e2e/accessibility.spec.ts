/** WCAG 2.2 AA as far as a machine can tell, in every room, light and dark. */
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { rooms } from "../src/app/router.svelte";

const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    test("no room has an accessibility fault", async ({ page }) => {
      for (const room of rooms) {
        await page.goto(`/#/${room}`);
        await expect(page.locator('nav [aria-current="page"]')).toHaveAttribute("href", `#/${room}`);
        await expect(page.getByRole("main")).toBeVisible();
        const { violations } = await new AxeBuilder({ page }).withTags(standards).analyze();
        const faults = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
        );
        expect(faults, `in the room ${room}`).toEqual([]);
      }
    });
  });
}
