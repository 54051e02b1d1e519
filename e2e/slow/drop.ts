/** A folder dropped on the page as a hand does it: the browser walks it, and the page sees entries and not a list of files. */
import type { Page } from "@playwright/test";

export async function dropFolder(page: Page, folder: string): Promise<void> {
  const target = await page.getByRole("region", { name: /files can be dropped here/ }).boundingBox();
  if (!target) throw new Error("nothing to drop on");
  const [x, y] = [target.x + target.width / 2, target.y + Math.min(target.height / 2, 200)];
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, x, y, data });
  await session.detach();
}
