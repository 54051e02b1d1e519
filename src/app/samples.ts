/** Datasets that ship with the site. */
import { WeftError } from "../base/errors";
import type { NamedFile } from "../workers/dataset/api";
import { parseSamples, type SampleDataset } from "./records";

const folder = "samples/";

export async function listSamples(): Promise<SampleDataset[]> {
  const response = await fetch(`${folder}index.json`).catch(() => undefined);
  if (!response?.ok) return [];
  return parseSamples(await response.json().catch(() => [])) ?? [];
}

/** The pictures and caption files of a sample, as if they had been dropped. @throws `sample-missing` */
export async function fetchSample({ images }: SampleDataset): Promise<NamedFile[]> {
  const pictures = await Promise.all(images.map(({ file }) => fetchFile(file)));
  return [...pictures, ...images.map(({ file, caption }) => captionFile(file, caption))];
}

async function fetchFile(file: string): Promise<NamedFile> {
  const response = await fetch(`${folder}${file}`);
  if (!response.ok)
    throw new WeftError(
      "sample-missing",
      `The sample picture "${file}" could not be loaded.`,
      "Reload the page and try again.",
    );
  return { path: file, file: await response.blob() };
}

function captionFile(file: string, caption: string): NamedFile {
  return { path: file.replace(/\.[^.]+$/, ".txt"), file: new Blob([caption], { type: "text/plain" }) };
}
