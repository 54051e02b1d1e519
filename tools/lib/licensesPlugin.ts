/**
 * Writes `licenses.md`: the licence of every package whose code is in the built site. Vite's own `build.license` sees
 * the page but not the workers, which are bundles of their own and hold packages that the page does not.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";

interface PackageFacts {
  name: string;
  version: string;
  license?: string;
}

/** The folder of the package that a module belongs to, undefined for our own modules. */
export function packageFolder(moduleId: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(moduleId.replace(/^\0/, ""))?.[0];
}

function licenseText(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  return file === undefined ? "" : readFileSync(path.join(folder, file), "utf8").trim();
}

/** One section of the file. */
function describe(folder: string): string {
  const facts = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as PackageFacts;
  const text = licenseText(folder);
  const quoted = text === "" ? "The package has no licence file." : text.replace(/^/gm, "    ");
  return `## ${facts.name} ${facts.version} (${facts.license ?? "see below"})\n\n${quoted}\n`;
}

/** The text of `licenses.md` for these package folders; the same package is listed once per version. */
export function licensesText(folders: Iterable<string>): string {
  const sections = [
    ...new Set([...folders].filter((folder) => existsSync(path.join(folder, "package.json")))),
  ]
    .map(describe)
    .toSorted();
  const intro = "# Licences of the packages in this app\n\nWeft itself is under the MIT licence.\n";
  return [intro, ...sections].join("\n");
}

/**
 * Two plugins over one list: `page` writes the file, `worker` only adds to the list (for `worker.plugins`). Workers
 * are bundled while the page's modules are read, so the list is complete when the page is written.
 */
export function licensesPlugins(): { page: Plugin; worker: () => Plugin } {
  const folders = new Set<string>();
  const collect = (context: { getModuleIds(): Iterable<string> }) => {
    for (const id of context.getModuleIds()) {
      const folder = packageFolder(id);
      if (folder !== undefined) folders.add(folder);
    }
  };
  return {
    worker: () => ({
      name: "weft-licenses-worker",
      generateBundle() {
        collect(this);
      },
    }),
    page: {
      name: "weft-licenses",
      generateBundle() {
        collect(this);
        this.emitFile({ type: "asset", fileName: "licenses.md", source: licensesText(folders) });
      },
    },
  };
}
