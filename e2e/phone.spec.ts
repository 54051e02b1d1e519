/** On a phone every room fits the screen, and the rooms are reachable. */
import { expect, test } from "./session";

test.use({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });

test("T-A1: nothing sticks out sideways", async ({ page, person }) => {
  for (const room of ["model", "dataset", "train", "try", "share"] as const) {
    await person.visit(room);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, room).toBeLessThanOrEqual(0);
  }
});
