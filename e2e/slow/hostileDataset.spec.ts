/** What a stranger, or bad luck, may put into a dataset (T-F4, T-F6, T-F7 and the list). */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { BlobReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import { brokenPictures } from "../../tools/fixtures/broken";
import { write, zipOf } from "../../tools/fixtures/datasets";
import { scene } from "../../tools/fixtures/pictures";
import { damaged, zoo } from "../../tools/fixtures/zoo";
import { expect, test } from "../session";
import { say } from "./measure";

const grid = (page: Page) => page.getByRole("grid", { name: "Pictures" });

/** The pixels of a card's thumbnail, which for small pictures is lossless; on white. */
async function thumbnailPixels(
  page: Page,
  name: string,
): Promise<{ width: number; height: number; data: number[] }> {
  await page.getByRole("searchbox", { name: /Filter/ }).fill(name);
  const image = page.getByRole("gridcell").locator("img");
  await expect(image).toHaveCount(1);
  return image.evaluate(async (node: HTMLImageElement) => {
    await node.decode();
    const canvas = new OffscreenCanvas(node.naturalWidth, node.naturalHeight);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(node, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return {
      width: canvas.width,
      height: canvas.height,
      data: [...data].filter((_, index) => index % 4 !== 3),
    };
  });
}

test("T-F4: pictures of every kind are read right, damaged ones cost nobody else", async ({
  page,
  person,
  folder,
}) => {
  const place = path.join(folder, "zoo");
  const good = await zoo();
  const broken = { ...Object.fromEntries(await damaged(260)), ...(await brokenPictures()) };
  for (const { name, content } of good) write(place, name, content);
  for (const [name, content] of Object.entries(broken)) write(place, name, content);
  await person.visit("dataset");
  await page.getByText(/^Drop .* pictures here$/).waitFor();
  const workersBefore = page.workers().length;
  const { used, refused } = await person.addPictures(place);
  const total = good.length + Object.keys(broken).length;
  say("T-F4", { files: total, used, refused: refused.length });
  expect(total).toBeGreaterThanOrEqual(300);
  expect(used + refused.length).toBe(total);
  const refusedNames = refused.map(({ file }) => path.basename(file));
  expect(good.map(({ name }) => name).filter((name) => refusedNames.includes(name))).toEqual([]);
  for (const name of Object.keys(await brokenPictures())) expect(refusedNames).toContain(name);
  for (const { reason } of refused) expect(reason).not.toMatch(/undefined|internal|object/i);

  // The pool is gone; the worker that planned the drop stays for the next one.
  await expect.poll(() => page.workers().length).toBeLessThanOrEqual(workersBefore + 1);

  const far: string[] = [];
  for (const { name, pixels, tolerance, width, height } of good) {
    if (!pixels) continue;
    const seen = await thumbnailPixels(page, `zoo/${name}`);
    const worst = seen.data.reduce(
      (most, value, index) => Math.max(most, Math.abs(value - (pixels[index] ?? 0))),
      0,
    );
    if (seen.width !== width || seen.height !== height || worst > tolerance)
      far.push(`${name}: ${seen.width} × ${seen.height}, off by ${worst}`);
  }
  expect(far).toEqual([]);
});

const payloads = [
  `<img src=x onerror="window.hacked=1">`,
  `<script>window.hacked=1</script>`,
  `"><svg onload=window.hacked=1>`,
  `javascript:window.hacked=1`,
  `{@html "<b onclick=window.hacked=1>"}`,
  `</textarea><iframe srcdoc="<script>parent.hacked=1</script>">`,
  `<a href="javascript:window.hacked=1">x</a>`,
  `\${window.hacked=1}`,
  `{{constructor.constructor('window.hacked=1')()}}`,
  `<style>*{background:url(javascript:window.hacked=1)}</style>`,
  `<math><mtext><img src=x onerror=window.hacked=1>`,
  `<details open ontoggle=window.hacked=1>`,
];

test("T-F6: sixty payloads in captions, names, metadata and the trigger stay text", async ({
  page,
  person,
  folder,
}) => {
  const picture = await scene(1, 64, 64).png().toBuffer();
  const files: [string, Buffer][] = [];
  for (let index = 0; index < 60; index++) {
    const payload = `${payloads[index % payloads.length] ?? ""} ${index}`;
    const unique = Buffer.concat([picture, Buffer.from(String(index))]);
    if (index % 3 === 0) files.push([`10_${payload.replaceAll("/", "⁄")}/${index}.png`, unique]);
    else files.push([`${payload.replaceAll("/", "⁄")}.png`, unique]);
    const name = files.at(-1)?.[0] ?? "";
    if (index % 3 === 1) files.push([name.replace(/png$/, "txt"), Buffer.from(payload)]);
    if (index % 3 === 2)
      files.push([`${index}.jsonl`, Buffer.from(JSON.stringify({ file_name: name, text: payload }))]);
  }
  files.push([
    "dataset.toml",
    Buffer.from(`# ${payloads[0] ?? ""}\ntitle = '<script>window.hacked=1</script>'`),
  ]);
  const zip = path.join(folder, "payloads.zip");
  writeFileSync(zip, await zipOf(files));
  await person.visit("dataset");
  await page.locator('input[type="file"]:not([webkitdirectory])').first().setInputFiles(zip);
  await expect(grid(page)).toHaveAttribute("data-count", "60");
  await page.getByLabel("Trigger word").fill(payloads[1] ?? "");
  for (const name of ["0.png", "onerror", "iframe", "ontoggle"]) {
    await page.getByRole("searchbox", { name: /Filter/ }).fill(name);
    await page.getByRole("gridcell").first().getByRole("button").click();
    await expect(page.getByRole("complementary").getByRole("textbox", { name: "Caption" })).not.toHaveValue(
      "",
    );
  }
  for (const room of ["train", "try", "share"] as const) await person.visit(room);
  expect(await page.evaluate(() => Reflect.get(window, "hacked") as unknown)).toBeUndefined();
});

test("T-F7 and the rest: names of every script and system, a book as caption", async ({
  page,
  person,
  folder,
}) => {
  const names = [
    "é nfc.png".normalize("NFC"),
    "é nfd.png".normalize("NFD"),
    "🦊👩‍👩‍👧.png",
    "\u202egnp.exe.png",
    "שלום عالم.png",
    "CON.png",
    "trailing dot..png",
    "-rf.png",
    "..png",
    `${"長".repeat(83)}.png`,
    "a\\b.png",
    "one/same.png",
    "two/same.png",
    "../outside.png",
  ];
  const files: [string, Buffer][] = [];
  for (const [index, name] of names.entries()) {
    files.push([
      name,
      await scene(20 + index, 80, 80)
        .png()
        .toBuffer(),
    ]);
    files.push([name.replace(/\.png$/, ".txt"), Buffer.from(`caption ${index}`)]);
  }
  const book = Buffer.from(`first line\n${"all work and no play\n".repeat(50_000)}`);
  files.push(["book.png", await scene(50, 80, 80).png().toBuffer()], ["book.txt", book]);
  const zip = path.join(folder, "names.zip");
  writeFileSync(zip, await zipOf(files));
  await person.visit("dataset");
  await page.locator('input[type="file"]:not([webkitdirectory])').first().setInputFiles(zip);
  // "..png" is a hidden file.
  await expect(grid(page)).toHaveAttribute("data-count", String(names.length));
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download zip" }).click(),
  ]);
  const reader = new ZipReader(new BlobReader(new Blob([readFileSync(await download.path())])));
  const exported = new Map<string, Buffer>();
  for (const entry of await reader.getEntries())
    if (!entry.directory)
      exported.set(entry.filename, Buffer.from(await entry.getData(new Uint8ArrayWriter())));
  const pictures = [...exported].filter(([name]) => name.endsWith(".png"));
  expect(pictures).toHaveLength(names.length);
  for (const [name] of exported) {
    expect(name).not.toMatch(/(^|\/)\.\.(\/|$)|\\|[. ]$/);
    expect(Buffer.byteLength(name.split("/").at(-1) ?? "")).toBeLessThanOrEqual(255);
  }
  // Every picture still has its own caption beside it.
  for (const [index, name] of names.entries()) {
    if (name === "..png") continue;
    const content = files[2 * index]?.[1];
    const [found = ""] = pictures.find(([, bytes]) => content?.equals(bytes)) ?? [];
    expect(exported.get(found.replace(/png$/, "txt"))?.toString(), name).toBe(`caption ${index}`);
  }
  expect(exported.get("img/1_pictures/book.txt")?.equals(book)).toBe(true);
});
