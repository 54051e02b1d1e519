/**
 * The hub of a test: requests to huggingface.co are answered by a server on this machine. The app is the one that ships,
 * its policy and its addresses included; only the network behind the browser is another.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Page, Route } from "@playwright/test";
import { startHub, type HubContents, type StandIn } from "../tools/lib/hubServer";

/** Serves `file` as the only file of `someone/tiny-model`. */
export function standIn(page: Page, file: string, fault?: HubContents["fault"]): Promise<StandIn> {
  const files = new Map([[path.basename(file), new Uint8Array(readFileSync(file))]]);
  return hubStandIn(page, { repo: "someone/tiny-model", files, ...(fault && { fault }) });
}

/** Answers for a repository until the test ends. */
export async function hubStandIn(page: Page, contents: HubContents): Promise<StandIn> {
  const hub = await startHub(contents);
  // A page that went away, or a server that closed, no longer waits for an answer.
  await page
    .context()
    .route("https://huggingface.co/**", (route) =>
      pass(route, hub).catch(() => route.abort().catch(() => undefined)),
    );
  return hub;
}

async function pass(route: Route, hub: StandIn): Promise<void> {
  const request = route.request();
  const headers = await request.allHeaders();
  const { range, authorization } = headers;
  const response = await hub.fetch(request.url(), {
    headers: { ...(range !== undefined && { range }), ...(authorization !== undefined && { authorization }) },
  });
  await route.fulfill({
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  });
}
