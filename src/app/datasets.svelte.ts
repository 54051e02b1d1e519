/** All datasets: listed, made, switched, duplicated, renamed, deleted. One is open at a time. */
import { get, set } from "idb-keyval";
import { emptyHistory } from "../dataset/history";
import { DatasetStore } from "../dataset/store";
import { strictStore } from "../storage/strict";
import { originalFiles, type Dataset } from "./dataset.svelte";
import { datasetList } from "./datasetSaver";
import { DatasetTurn } from "./datasetTurn";
import { freeName } from "./names";
import { showError } from "./notices";
import type { DatasetRecord } from "./records";
import { thumbnailFiles } from "./thumbnails";

/** The dataset of the versions that had only one; its pictures are in the store they left. */
const firstId = "first";
const firstStore = "weft-images";
/** Keys in `weft-dataset`: the trigger word of those versions, and the dataset that was open last. */
const triggerKey = "trigger";
const currentKey = "current";
/** What was removed stays in the trash this long, in milliseconds. */
const trashTime = 7 * 24 * 3600 * 1000;

function storeOf(id: string): DatasetStore {
  return new DatasetStore(id === firstId ? firstStore : `${firstStore}-${id}`);
}

/** What is kept for every dataset beside its pictures. */
interface Companion {
  /** Another dataset will be opened. */
  leave(): void;
  open(id: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  remove(id: string): Promise<void>;
}

export class Datasets {
  list = $state.raw<DatasetRecord[]>([]);

  #dataset: Dataset;
  #companion: Companion;
  #memory = strictStore("weft-dataset");

  #turn = new DatasetTurn({ onTurn: (id) => this.#reload(id), onLeave: () => this.#leave() });

  constructor(dataset: Dataset, companion: Companion) {
    this.#dataset = dataset;
    this.#companion = companion;
  }

  /** Lists the datasets and opens the one that was open last. */
  async start(): Promise<void> {
    const [stored, current] = await Promise.all([datasetList.all(), get<unknown>(currentKey, this.#memory)]);
    const listed = stored.filter(({ removedAt }) => removedAt === undefined);
    if (listed.length === 0) listed.push(await this.#first());
    this.#setList(listed);
    const about = this.list.find(({ id }) => id === current) ?? this.list[0];
    if (about) await this.#open(about);
    await this.#emptyTrash(stored).catch(showError);
  }

  /** Makes an empty dataset and opens it. */
  async create(name = "New dataset"): Promise<void> {
    await this.#add(this.#record(name, ""));
  }

  /** Opens another dataset. @throws `unsaved-dataset` when the present one cannot be saved. */
  async switchTo(id: string): Promise<void> {
    const about = this.list.find((one) => one.id === id);
    if (about && id !== this.#dataset.id) await this.#open(about);
  }

  /** Copies the open dataset, without its trash and its history, and opens the copy. The picture files are shared. */
  async duplicate(): Promise<void> {
    const { about, images } = this.#dataset;
    await this.#dataset.saved();
    const copy = { ...this.#record(`${about.name} copy`, about.trigger), alpha: about.alpha };
    await storeOf(copy.id).write({ images, purged: [], entries: [], forgotten: [], done: emptyHistory.done });
    await this.#companion.copy(about.id, copy.id);
    await this.#add(copy);
  }

  rename(name: string): void {
    this.#dataset.rename(name);
    this.#keep(this.#dataset.about);
  }

  /** Puts the open dataset into the trash and opens another one. @returns what brings it back */
  async remove(): Promise<() => Promise<void>> {
    this.#dataset.requireTurn();
    const { about } = this.#dataset;
    await this.#dataset.saved();
    const others = this.list.filter(({ id }) => id !== about.id);
    const next = others[0] ?? this.#record("My dataset", "");
    if (others.length === 0) await datasetList.put(next);
    await datasetList.put({ ...about, removedAt: Date.now() });
    this.#setList(others.length > 0 ? others : [next]);
    await this.#open(next);
    return () => this.#add({ ...about, removedAt: undefined });
  }

  /** Takes the open dataset over from the tab that has it. @throws `tab-silent` */
  editHere(): Promise<void> {
    return this.#turn.ask();
  }

  /** Another tab may have made, renamed or changed datasets meanwhile. */
  async refresh(): Promise<void> {
    const stored = await datasetList.all();
    if (this.#dataset.elsewhere) await this.#show(this.#dataset.id, stored);
    const listed = stored.filter(({ removedAt }) => removedAt === undefined);
    if (listed.some(({ id }) => id === this.#dataset.id)) this.#setList(listed);
    this.#keep(this.#dataset.about);
  }

  /** The dataset is this tab's to change now: it is read again as the other tab left it. */
  async #reload(id: string): Promise<void> {
    await this.#show(id, await datasetList.all());
    if (this.#dataset.id === id) this.#dataset.elsewhere = false;
  }

  /** Reads the open dataset again; when the other tab deleted it, opens another one. */
  async #show(id: string, stored: readonly DatasetRecord[]): Promise<void> {
    const about = stored.find((one) => one.id === id && one.removedAt === undefined);
    if (about) {
      await this.#dataset.open(about, storeOf(id), this.#dataset.elsewhere);
      return this.#companion.open(id);
    }
    this.#setList(this.list.filter((one) => one.id !== id));
    const next = this.list[0];
    if (next) await this.#open(next);
    else await this.create("My dataset");
  }

  /** Another tab takes over. @throws `unsaved-dataset` */
  async #leave(): Promise<void> {
    this.#dataset.elsewhere = true;
    try {
      await this.#dataset.settle();
    } catch (reason) {
      this.#dataset.elsewhere = false;
      throw reason;
    }
  }

  async #add(about: DatasetRecord): Promise<void> {
    await datasetList.put(about);
    this.#setList([...this.list, about]);
    await this.#open(about);
  }

  async #open(about: DatasetRecord): Promise<void> {
    this.#keep(this.#dataset.about);
    this.#companion.leave();
    await this.#dataset.settle();
    const isOurs = await this.#turn.take(about.id);
    await this.#dataset.open(about, storeOf(about.id), !isOurs);
    await Promise.all([
      set(currentKey, about.id, this.#memory),
      this.#companion.open(about.id).catch(showError),
    ]);
    const purged = await this.#dataset.purgeTrash(Date.now() - trashTime);
    if (purged.length > 0) await this.#removeFiles(purged);
  }

  /** The dataset of the versions that had only one, or an empty one. */
  async #first(): Promise<DatasetRecord> {
    const trigger = await get<unknown>(triggerKey, this.#memory);
    const first = this.#record("My dataset", typeof trigger === "string" ? trigger : "");
    const about = { ...first, id: firstId };
    await datasetList.put(about);
    return about;
  }

  /** Datasets deleted long ago go for good. */
  async #emptyTrash(stored: readonly DatasetRecord[]): Promise<void> {
    const before = Date.now() - trashTime;
    for (const { id, removedAt = Number.POSITIVE_INFINITY } of stored) {
      if (removedAt >= before) continue;
      const ids = await storeOf(id).ids();
      await storeOf(id).destroy();
      await this.#companion.remove(id);
      await datasetList.remove(id);
      await this.#removeFiles(ids);
    }
  }

  /** Removes the files of pictures that no dataset lists any more. */
  async #removeFiles(ids: readonly string[]): Promise<void> {
    const stored = await datasetList.all();
    const used = new Set((await Promise.all(stored.map(({ id }) => storeOf(id).ids()))).flat());
    const gone = ids.filter((id) => !used.has(id));
    await Promise.all([originalFiles.removeMany(gone), thumbnailFiles.removeMany(gone)]);
  }

  #record(name: string, trigger: string): DatasetRecord {
    const names = new Set(this.list.map((one) => one.name));
    const now = Date.now();
    return {
      id: crypto.randomUUID(),
      name: freeName(name, names),
      createdAt: now,
      trigger,
      alpha: "white",
      removedAt: undefined,
    };
  }

  /** The list shows what the open dataset says about itself. */
  #keep(about: DatasetRecord): void {
    this.#setList(this.list.map((one) => (one.id === about.id ? about : one)));
  }

  #setList(list: readonly DatasetRecord[]): void {
    this.list = list.toSorted((a, b) => a.createdAt - b.createdAt);
  }
}
