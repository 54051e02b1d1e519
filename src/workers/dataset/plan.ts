/** Looks through a drop before any picture is decoded: zips listed, metadata and configs read, files told apart. */
import { WeftError } from "../../base/errors";
import { arrangePaths, isFactsPath, isLitter, type DropFacts } from "../../dataset/arrangePaths";
import { maxConfigBytes, readDatasetToml } from "../../dataset/datasetToml";
import { maxMetadataBytes, readJsonLines, readMetadataJson } from "../../dataset/metadata";
import { UniquePaths } from "../../dataset/uniquePaths";
import type { FileEntry } from "@zip.js/zip.js";
import type { ImportPlan, NamedFile, PlannedPicture, RefusedFile } from "./api";
import { inflate, isZip, isZipPath, listZip } from "./unzip";

/** As people count: `p2` before `p10`. Folders and drops come in any order otherwise. */
const byName = new Intl.Collator("en", { numeric: true });

/** A plan, and the entries of the zips in it by the paths it uses. */
export interface Planned {
  plan: ImportPlan;
  pictures: PlannedPicture[];
  entries: Map<string, FileEntry>;
}

export function refusedFile(name: string, error: unknown): RefusedFile {
  const { code, message, hint } =
    error instanceof WeftError ? error : new WeftError("unreadable", "could not be read from the disk.");
  return { name, code, reason: hint ? `${message} ${hint}` : message };
}

/** @param paths each once; @param files those that say something about others: zips, metadata, configs */
export async function planImport(paths: readonly string[], files: readonly NamedFile[]): Promise<Planned> {
  const planner = new Planner(paths);
  for (const { path, file } of files) await planner.look(path, file);
  return planner.finish();
}

class Planner {
  readonly #names = new UniquePaths();
  readonly #paths = new Set<string>();
  readonly #entries = new Map<string, FileEntry>();
  readonly #facts: DropFacts = { metadata: [], configs: [] };
  readonly #refused: RefusedFile[] = [];
  readonly #notes: string[] = [];

  constructor(paths: readonly string[]) {
    for (const path of paths) this.#paths.add(this.#names.add(path));
  }

  async look(path: string, file: Blob): Promise<void> {
    try {
      const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
      if (isZip(head) || isZipPath(path)) {
        this.#paths.delete(path);
        await this.#lookIntoZip(file);
      } else if (isFactsPath(path)) await this.#readFacts(path, file);
    } catch (error) {
      this.#refused.push(refusedFile(path, error));
    }
  }

  async #lookIntoZip(file: Blob): Promise<void> {
    const { entries, refused } = await listZip(file);
    if (entries.length + refused.length === 0) throw new WeftError("empty-zip", "holds no files.");
    for (const { name, error } of refused) this.#refused.push(refusedFile(this.#names.add(name), error));
    for (const { name, entry } of entries) {
      const label = this.#names.add(name);
      this.#paths.add(label);
      this.#entries.set(label, entry);
      if (isFactsPath(label) && !isLitter(label)) await this.#readEntryFacts(label, entry);
    }
  }

  async #readEntryFacts(label: string, entry: FileEntry): Promise<void> {
    try {
      await this.#readFacts(label, await inflate(entry));
    } catch (error) {
      this.#refused.push(refusedFile(label, error));
    }
  }

  async #readFacts(path: string, file: Blob): Promise<void> {
    if (isLitter(path)) return;
    const isConfig = /\.toml$/i.test(path);
    if (file.size > (isConfig ? maxConfigBytes : maxMetadataBytes))
      throw new WeftError("too-large", "is too large to be about pictures; it was not read.");
    const content = await file.text();
    if (isConfig) this.#readConfig(path, content);
    else this.#readMetadata(path, content);
  }

  #readConfig(path: string, content: string): void {
    const config = readDatasetToml(content);
    if (!config) throw new WeftError("not-a-config", "is TOML, but no dataset config; it was not used.");
    this.#facts.configs.push({ path, subsets: config.subsets });
    if (config.resolution !== undefined)
      this.#notes.push(`"${path}" asks for ${config.resolution} px: choose that under Training sizes.`);
    if (config.unused.length > 0)
      this.#notes.push(`"${path}" also sets ${config.unused.join(", ")}; these are not taken over.`);
  }

  #readMetadata(path: string, content: string): void {
    const { entries, broken } = /\.jsonl$/i.test(path) ? readJsonLines(content) : readMetadataJson(content);
    this.#facts.metadata.push({ path, entries });
    if (broken > 0) this.#notes.push(`${broken} entries of "${path}" name no picture or no caption.`);
  }

  finish(): Planned {
    const { pictures, refused } = arrangePaths([...this.#paths], this.#facts);
    for (const { path, error } of refused) this.#refused.push(refusedFile(path, error));
    pictures.sort((a, b) => byName.compare(a.path, b.path));
    const plan = { pictures: pictures.length, refused: this.#refused, notes: this.#notes };
    return { plan, pictures, entries: this.#entries };
  }
}
