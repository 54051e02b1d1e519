import { describe, expect, it } from "vitest";
import { readDatasetToml } from "./datasetToml";
import { planExport, portableName, type ExportedPicture, type ExportEntry } from "./exportPlan";

const options = {
  title: "inkwash",
  trigger: "",
  writeTrigger: false,
  applyCrops: false,
  alphaMask: false,
  resolution: 512,
};
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

let count = 0;
function picture(name: string, more: Partial<ExportedPicture> = {}): ExportedPicture {
  return { id: `i${count++}`, name, width: 800, height: 600, caption: "", repeats: 1, ...more };
}

function withFile(name: string, caption: string, file = caption, extension = "txt"): ExportedPicture {
  return picture(name, { caption, captionFile: { extension, bytes: bytes(file), caption }, repeats: 10 });
}

function texts(entries: readonly ExportEntry[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => [
      entry.path,
      "bytes" in entry ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(entry.bytes) : `<${entry.id}>`,
    ]),
  );
}

/** Without the config. */
function planned(pictures: ExportedPicture[], more: Partial<typeof options> = {}): Record<string, string> {
  const { "dataset.toml": _, ...files } = texts(planExport(pictures, { ...options, ...more }).entries);
  return files;
}

describe("an export", () => {
  it("tells the trainer to leave transparent parts out where Weft does", () => {
    const configOf = (alphaMask: boolean): string =>
      texts(planExport([picture("a.png")], { ...options, alphaMask }).entries)["dataset.toml"] ?? "";
    expect(configOf(true)).toMatch(/^alpha_mask = true$/m);
    expect(configOf(false)).not.toContain("alpha_mask");
  });

  it("gives Kohya's folders back as they came, bytes and all", () => {
    const a = withFile("set/10_ink style/a.png", "a cat", "\ufeffa cat\r\n\r\n");
    const b = picture("set/2_cat/b.jpg", { caption: "cat", repeats: 2 });
    const c = { ...withFile("set/10_ink style/c.webp", "", "\n"), caption: "ink style" };
    expect(planned([a, b, c])).toEqual({
      "img/10_ink style/a.png": `<${a.id}>`,
      "img/10_ink style/a.txt": "\ufeffa cat\r\n\r\n",
      "img/10_ink style/c.webp": `<${c.id}>`,
      "img/10_ink style/c.txt": "\n",
      "img/2_cat/b.jpg": `<${b.id}>`,
    });
  });

  it("changes only the line that was edited, and the folder's number with the repeats", () => {
    const edited = {
      ...withFile("10_x/a.png", "a cat", "a cat\r\nsecond\r\n"),
      caption: "a dog",
      repeats: 3,
    };
    expect(planned([edited])).toMatchObject({ "img/3_x/a.txt": "a dog\r\nsecond\r\n" });
  });

  it("makes a folder for loose pictures, and captions where there are words", () => {
    const loose = [
      picture("a.png", { caption: "a cat" }),
      picture("x/b.png"),
      picture("c.png", { caption: "inkwash" }),
    ];
    expect(planned(loose)).toMatchObject({
      "img/1_inkwash/a.txt": "a cat",
      // No words, but the folder's name would be its caption.
      "img/1_inkwash/b.txt": "\n",
    });
    expect(planned(loose)).not.toHaveProperty("img/1_inkwash/c.txt");
  });

  it("keeps files of one name from different folders, and captions shared by two pictures", () => {
    const files = planned([
      picture("one/a.png", { caption: "first" }),
      picture("two/a.png", { caption: "second" }),
      picture("two/A.jpg", { caption: "second" }),
    ]);
    expect(files).toMatchObject({ "img/1_inkwash/a.txt": "first", "img/1_inkwash/a-2.txt": "second" });
    expect(Object.keys(files).filter((path) => !path.endsWith(".txt"))).toHaveLength(3);
  });

  it("writes the trigger in when asked", () => {
    const pictures = [withFile("10_x/a.png", "a cat"), withFile("10_x/b.png", "inkwash cat")];
    expect(planned(pictures, { trigger: "inkwash", writeTrigger: true })).toMatchObject({
      "img/10_x/a.txt": "inkwash, a cat",
      "img/10_x/b.txt": "inkwash cat",
    });
  });

  it("gives every line of a caption its trigger, and back what it does not change", () => {
    const lines = withFile("10_x/a.png", "a cat\nan ink dog", "a cat\r\n\r\n an ink dog \r\n");
    expect(planned([lines], { trigger: "ink", writeTrigger: true })["img/10_x/a.txt"]).toBe(
      "ink, a cat\r\n\r\n an ink dog \r\n",
    );
    expect(planned([lines])["img/10_x/a.txt"]).toBe("a cat\r\n\r\n an ink dog \r\n");
  });

  it("has a config that names the same folders, with one caption ending each", () => {
    const pictures = [
      withFile("10_x/a.png", "a", "a", "caption"),
      withFile("10_x/b.png", "b", "b", "caption"),
      withFile("10_x/c.png", "c", "c", "txt"),
    ];
    const files = texts(planExport(pictures, options).entries);
    expect(readDatasetToml(files["dataset.toml"] ?? "")).toMatchObject({
      subsets: [{ imageDir: "img/10_x", repeats: 10, classTokens: "x", captionExtension: "caption" }],
      resolution: 512,
    });
    expect(files).toMatchObject({ "img/10_x/c.caption": "c", "img/10_x/c.txt": "c" });
  });

  it("cuts moved crops out when asked, in shares of the picture", () => {
    const moved = picture("a.jpg", { width: 1000, height: 500, crop: { x: 0.5, y: 0 } });
    const [entry] = planExport([moved], { ...options, applyCrops: true }).entries;
    expect(entry).toMatchObject({ path: "img/1_inkwash/a.png", cut: { x: 0, y: 0, width: 1 } });
    expect(entry && "cut" in entry && entry.cut?.height).toBeCloseTo(320 / 352, 6);
    expect(Object.keys(planned([moved]))).toContain("img/1_inkwash/a.jpg");
  });

  it.each([
    ["CON.png", "_CON.png"],
    ["nul", "_nul"],
    ["a:b?.png", "a_b_.png"],
    ["trailing. ", "trailing"],
    ["..", "_"],
    ["-lead.png", "-lead.png"],
    ["é\u0301🦊\u202e.png", "é\u0301🦊\u202e.png"],
    [`${"ä".repeat(200)}.png`, `${"ä".repeat(125)}.png`],
  ])("T-F7: %j can be written everywhere as %j", (name, expected) => {
    expect(portableName(name)).toBe(expected);
  });
});
