/** What a machine can tell about accessibility, of the page as it is now. */
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** @param what is on the screen, for the report */
export async function examine(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, nodes }) => `${what}: ${id} at ${nodes.map(({ html }) => html).join(" | ")}`),
  ).toEqual([]);
}
