/** WCAG 2.2 AA as far as a machine can tell, in every room, light and dark. */
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { rooms } from "../src/app/router.svelte";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    for (const room of rooms) {
      test(`${room} has no accessibility fault`, async ({ page }) => {
        await page.goto(`/#/${room}`);
        await expect(page.getByRole("main")).toBeVisible();
        const { violations } = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
          .analyze();
        const faults = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
        );
        expect(faults).toEqual([]);
      });
    }
  });
}
