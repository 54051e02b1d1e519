/** The app as a static site: what it is served with, and that it asks nobody else for anything. */
import { expect, test, type Page } from "@playwright/test";
import { rooms } from "../src/app/router.svelte";
import { contentSecurityPolicy } from "../tools/lib/headers";

async function walkThroughRooms(page: Page): Promise<void> {
  await page.goto("/");
  for (const room of rooms) {
    await page.goto(`/#/${room}`);
    await expect(page.locator('nav [aria-current="page"]')).toHaveAttribute("href", `#/${room}`);
  }
}

test("every file comes with the policy, workers too", async ({ page }) => {
  const policies = new Map<string, string | undefined>();
  page.on("response", (response) => {
    if (response.url().startsWith("http")) {
      policies.set(response.url(), response.headers()["content-security-policy"]);
    }
  });
  await walkThroughRooms(page);
  expect(policies.size).toBeGreaterThan(2);
  expect([...new Set(policies.values())]).toEqual([contentSecurityPolicy()]);
});

test("a walk through the rooms breaks no rule and asks no other host", async ({ page, baseURL }) => {
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => hosts.add(new URL(request.url()).origin));
  await walkThroughRooms(page);
  await page.waitForLoadState("networkidle");
  expect(complaints).toEqual([]);
  expect([...hosts].filter((origin) => origin !== "null")).toEqual([baseURL]);
});

test("an address that is not a file is not found", async ({ request }) => {
  expect((await request.get("/models/none.safetensors")).status()).toBe(404);
});

test("the site names the licences of what it contains, workers included", async ({ request }) => {
  const text = await (await request.get("/licenses.md")).text();
  for (const name of ["svelte", "comlink", "@zip.js/zip.js", "@huggingface/tokenizers"])
    expect(text).toContain(name);
});
