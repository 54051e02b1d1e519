/** Everything the command palette offers, made anew each time it opens: only what can be done now is listed. */
import type { App } from "./app.svelte";
import { rooms, roomTitles } from "./router.svelte";

export interface Command {
  /** Unique, and how the palette tells commands apart. */
  id: string;
  title: string;
  run: () => unknown;
}

export interface CommandGroup {
  title: string;
  commands: Command[];
}

/** The commands whose title, or whose group's, has every word of `query`. */
export function matching(groups: readonly CommandGroup[], query: string): CommandGroup[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  return groups
    .map(({ title, commands }) => ({
      title,
      commands: commands.filter((one) => fits(`${title} ${one.title}`)),
    }))
    .filter(({ commands }) => commands.length > 0);
}

/** In the order they are shown; {@link matching} leaves empty groups out. */
export function commandsFor(app: App): CommandGroup[] {
  return [
    { title: "Run", commands: aboutRun(app) },
    { title: "Go to", commands: goTo(app) },
    { title: "Dataset", commands: aboutDataset(app) },
    { title: "Try", commands: aboutTry(app) },
    { title: "Look", commands: aboutLook(app) },
  ];
}

function goTo({ router, runs }: App): Command[] {
  const toRooms = rooms.map((room): Command => ({
    id: `room ${room}`,
    title: roomTitles[room],
    run: () => router.go(room),
  }));
  const pages = runs.list.map(({ id, settings }): Command => ({
    id: `run ${id}`,
    title: `Run: ${settings.name}`,
    run: () => router.go("train", id),
  }));
  return [...toRooms, ...pages];
}

function aboutRun({ runs: { live } }: App): Command[] {
  if (!live) return [];
  const verbs: [string, () => unknown][] = [
    live.paused ? ["Go on training", () => live.resume()] : ["Pause training", () => live.pause()],
    ["Draw a sample now", () => live.sampleNow()],
    ["Save a checkpoint now", () => live.saveNow()],
    ["Stop and keep the file", () => live.stop()],
  ];
  return verbs.map(([title, run]) => ({ id: title, title, run }));
}

function aboutDataset({ dataset, datasets, router }: App): Command[] {
  const { undoable, redoable } = dataset;
  const steps: Command[] = [];
  if (undoable !== undefined)
    steps.push({ id: "undo", title: `Undo: ${undoable}`, run: () => dataset.undo() });
  if (redoable !== undefined)
    steps.push({ id: "redo", title: `Redo: ${redoable}`, run: () => dataset.redo() });
  const samples = dataset.samples.map((sample): Command => ({
    id: `sample ${sample.id}`,
    title: `Add the sample dataset “${sample.title}”`,
    run: () => {
      router.go("dataset");
      return dataset.importSample(sample);
    },
  }));
  const others = datasets.list
    .filter(({ id }) => id !== dataset.about.id)
    .map(({ id, name }): Command => ({
      id: `dataset ${id}`,
      title: `Switch to the dataset “${name}”`,
      run: () => datasets.switchTo(id),
    }));
  return [...steps, ...others, ...samples];
}

function aboutTry({ loras, playground, router }: App): Command[] {
  return loras.list.map(({ id, name }) => ({
    id: `lora ${id}`,
    title: `Try <lora:${name}>`,
    run: () => {
      playground.addLora(name);
      router.go("try");
    },
  }));
}

function aboutLook({ theme }: App): Command[] {
  const looks = [
    ["light", "Light colours"],
    ["dark", "Dark colours"],
    ["system", "Colours like the system"],
  ] as const;
  return looks
    .filter(([choice]) => choice !== theme.choice)
    .map(([choice, title]) => ({ id: title, title, run: () => theme.choose(choice) }));
}
