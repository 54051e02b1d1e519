/** The base models that are kept in this browser, and the one that is being brought in. */
import * as v from "valibot";
import type { WeftError } from "../base/errors";
import { fromFailure, isAbort } from "../workers/failure";
import type { Quantisation } from "../workers/engine/api";
import type {
  CheckpointSource,
  ImportOptions,
  ImportProgress,
  LibraryEntry,
  PickedFile,
  RemoteListing,
} from "../workers/library/api";
import type { LibraryClient } from "../workers/library/client";
import type { Models } from "./models.svelte";
import type { NamedFile } from "./intake";

export type { LibraryEntry, ImportProgress, RemoteListing };
export type StorageChoice = Quantisation | "auto";

const key = "weft-model-choices";
const choicesSchema = v.object({
  storage: v.fallback(v.picklist(["auto", "f16", "q8", "q4"]), "auto"),
  /** Gigabytes of GPU memory the person says are there; 0: not told. */
  memory: v.fallback(v.pipe(v.number(), v.minValue(0), v.maxValue(1024)), 0),
  vae: v.fallback(v.string(), ""),
  token: v.fallback(v.string(), ""),
});
type Choices = v.InferOutput<typeof choicesSchema>;

export class KeptModels {
  entries = $state.raw<LibraryEntry[]>([]);
  /** Bytes this site keeps in all, and what the browser says it may. */
  usage = $state(0);
  quota = $state(0);
  /** Whether the browser promised not to clear it when the disk runs low. */
  persistent = $state(false);
  progress = $state.raw<ImportProgress>();
  /** What is being looked at before the first bytes are read. */
  looking = $state("");
  error = $state.raw<WeftError>();
  /** The file of the import that failed for lack of room: it can be used without keeping it. */
  unkept = $state.raw<File>();
  listing = $state.raw<RemoteListing>();
  choices = $state<Choices>(readChoices());
  /** For gated repositories; in memory only, unless {@link rememberToken}. */
  token = $state(this.choices.token);
  rememberToken = $state(this.choices.token !== "");

  models = $derived(this.entries.filter(({ kind }) => kind === "model"));
  vaes = $derived(this.entries.filter(({ kind, state }) => kind === "vae" && state === "complete"));
  /** The separate VAE that is chosen, if it is still here. */
  vae = $derived(this.vaes.find(({ name }) => name === this.choices.vae));
  busy = $derived(this.progress !== undefined || this.looking !== "");

  #library: LibraryClient;
  #models: Models;
  #abort: AbortController | undefined;
  /** Files picked in this session, by the name of what was made of them. */
  readonly #files = new Map<string, File>();

  constructor({ library, models }: { library: LibraryClient; models: Models }) {
    this.#library = library;
    this.#models = models;
  }

  async start(): Promise<void> {
    await this.refresh();
    this.persistent = (await navigator.storage.persisted?.()) ?? false;
  }

  async refresh(): Promise<void> {
    const { entries, usage, quota } = await this.#library.list();
    Object.assign(this, { entries, usage, quota });
  }

  /** The weights' form for the next import. */
  chooseStorage(storage: StorageChoice): void {
    this.#keep({ storage: storage === "f32" ? "auto" : storage });
  }

  tellMemory(gigabytes: number): void {
    this.#keep({ memory: gigabytes });
  }

  keepToken(token: string, remember: boolean): void {
    this.token = token.trim();
    this.rememberToken = remember;
    this.#keep({ token: remember ? this.token : "" });
  }

  /** A checkpoint from this computer; opened when it is in. */
  async importFile(file: File, storage: StorageChoice = this.choices.storage): Promise<void> {
    const entry = await this.#import({ kind: "file", file }, { kind: "model", storage }, file);
    if (entry) await this.open(entry);
  }

  async importFolder(picked: readonly NamedFile[]): Promise<void> {
    const [first] = picked;
    const name = first?.path.split("/")[0] ?? "folder";
    const files = picked.map(({ path, file }): PickedFile => ({
      path: path.slice(path.indexOf("/") + 1),
      file,
    }));
    const entry = await this.#import(
      { kind: "folder", name, files },
      { kind: "model", storage: this.choices.storage },
    );
    if (entry) await this.open(entry);
  }

  /** A VAE of its own, used with every model from now on. */
  async importVae(file: File): Promise<void> {
    const entry = await this.#import({ kind: "file", file }, { kind: "vae", storage: "f16" });
    if (entry) await this.chooseVae(entry.name);
  }

  /** Lists what an address offers. */
  async browse(reference: string): Promise<void> {
    this.listing = undefined;
    await this.#guard(reference, async () => {
      this.listing = await this.#library.browse(reference, this.#tokenOrNone());
    });
  }

  async importRemote(reference: string, choice: string | undefined): Promise<void> {
    const source = { kind: "remote" as const, reference, ...(choice !== undefined && { choice }) };
    const entry = await this.#import(source, { kind: "model", storage: this.choices.storage });
    if (!entry) return;
    this.listing = undefined;
    await this.open(entry);
  }

  /** Goes on with an import from the net that was interrupted. Local files have to be picked again. */
  async resume({ origin, storage, kind }: LibraryEntry): Promise<void> {
    if (origin.kind !== "remote") return;
    const { reference, choice } = origin;
    const source = { kind: "remote" as const, reference, ...(choice !== undefined && { choice }) };
    const entry = await this.#import(source, { kind, storage });
    if (entry) await this.open(entry);
  }

  /**
   * The open model with its weights in another form: what is kept so, or imported again from where it came.
   * @returns false when its file has to be picked again; the form is then chosen for that
   */
  async changeStorage(storage: Quantisation): Promise<boolean> {
    const open = this.#models.source;
    const entry = open?.kind === "kept" ? this.entries.find(({ name }) => name === open.name) : undefined;
    const same = this.models.find(
      (one) => one.state === "complete" && one.sha256 === entry?.sha256 && one.storage === storage,
    );
    const file = entry && this.#files.get(entry.name);
    if (same) await this.open(same);
    else if (entry?.origin.kind === "remote") await this.resume({ ...entry, storage });
    else if (file) await this.importFile(file, storage);
    else {
      this.chooseStorage(storage);
      return false;
    }
    return true;
  }

  async open({ name, title }: LibraryEntry): Promise<void> {
    const vae = this.vae?.name;
    await this.#models
      .open({ kind: "kept", name, title, ...(vae !== undefined && { vae }) })
      .catch(() => undefined);
  }

  /** Uses the file that could not be kept, reading it from disk each time. */
  async openUnkept(): Promise<void> {
    const file = this.unkept;
    this.dismissError();
    if (file) await this.#models.open({ kind: "file", file }).catch(() => undefined);
  }

  /** Empty name: the checkpoints' own. The open model is opened again with it. */
  async chooseVae(name: string): Promise<void> {
    this.#keep({ vae: name });
    const open = this.#models.source;
    const entry = open?.kind === "kept" ? this.entries.find((one) => one.name === open.name) : undefined;
    if (entry) await this.open(entry);
  }

  async remove(entry: LibraryEntry): Promise<void> {
    await this.#guard("", async () => {
      const { source } = this.#models;
      const uses = source?.kind === "kept" && (source.name === entry.name || source.vae === entry.name);
      if (uses) await this.#models.openBuiltin();
      if (this.choices.vae === entry.name) this.#keep({ vae: "" });
      await this.#library.remove(entry.name);
      await this.refresh();
    });
  }

  /** Stops; what is in stays and can be gone on with. */
  cancel(): void {
    this.#abort?.abort();
  }

  dismissError(): void {
    this.error = undefined;
    this.unkept = undefined;
  }

  async #import(
    source: CheckpointSource,
    options: Pick<ImportOptions, "kind" | "storage">,
    file?: File,
  ): Promise<LibraryEntry | undefined> {
    const abort = new AbortController();
    this.#abort = abort;
    const { memory } = this.choices;
    const token = this.#tokenOrNone();
    let entry: LibraryEntry | undefined;
    await this.#guard(titleOf(source), async () => {
      const whole: ImportOptions = {
        ...options,
        ...(this.vae && { vae: this.vae.name }),
        ...(token !== undefined && source.kind === "remote" && { token }),
        ...(memory > 0 && { memory: memory * 2 ** 30 }),
      };
      entry = await this.#library.import(
        source,
        whole,
        (progress) => this.#report(abort, progress),
        abort.signal,
      );
      // Asked when there is something worth keeping; browsers decide by themselves or ask.
      this.persistent = await navigator.storage.persist();
    });
    if (file && entry) this.#files.set(entry.name, file);
    if (this.error?.code === "storage-full") this.unkept = file;
    await this.refresh();
    return entry;
  }

  #report(abort: AbortController, progress: ImportProgress): void {
    if (this.#abort !== abort || abort.signal.aborted || !this.busy) return;
    this.looking = "";
    this.progress = progress;
  }

  /** Runs work that may fail; the error is shown, nothing else changes. */
  async #guard(looking: string, work: () => Promise<void>): Promise<void> {
    this.dismissError();
    this.looking = looking;
    try {
      await work();
    } catch (reason) {
      if (!isAbort(reason)) this.error = fromFailure(reason);
    } finally {
      this.looking = "";
      this.progress = undefined;
    }
  }

  #tokenOrNone(): string | undefined {
    return this.token === "" ? undefined : this.token;
  }

  #keep(changes: Partial<Choices>): void {
    Object.assign(this.choices, changes);
    localStorage.setItem(key, JSON.stringify(this.choices));
  }
}

function titleOf(source: CheckpointSource): string {
  if (source.kind === "file") return source.file.name;
  return source.kind === "folder" ? source.name : source.reference;
}

function readChoices(): Choices {
  let stored: unknown;
  try {
    stored = JSON.parse(localStorage.getItem(key) ?? "{}");
  } catch {
    stored = {};
  }
  return v.parse(v.fallback(choicesSchema, { storage: "auto", memory: 0, vae: "", token: "" }), stored);
}
