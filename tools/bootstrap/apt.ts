/**
 * The part of Debian's and Ubuntu's package manager that the bootstrap needs. Everything comes from the sources
 * that the machine already has; its configuration is left as it was.
 */
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ask, work } from "../lib/process";

const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg";
const sourceParts = "/etc/apt/sources.list.d";

/** Whether packages may be installed: apt is there and we are root. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && ask("apt-get", ["--version"]) !== undefined;
}

/** Fields of `/etc/os-release`, e.g. `ID`, `VERSION_CODENAME`. */
export function osRelease(file = "/etc/os-release"): Record<string, string> {
  if (!existsSync(file)) return {};
  const pairs = [...readFileSync(file, "utf8").matchAll(/^([A-Z_]+)="?(.*?)"?$/gm)];
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, value]));
}

export function installedVersion(name: string): string | undefined {
  return ask("dpkg-query", ["-W", "-f", "${Version}", name]);
}

/** The version that `apt-get install` would take, undefined when the sources do not have the package. */
export function candidateVersion(name: string, options: string[] = []): string | undefined {
  const version = /Candidate: (\S+)/.exec(ask("apt-cache", [...options, "policy", name]) ?? "")?.[1];
  return version === "(none)" ? undefined : version;
}

/** The leading number of a Debian version, epoch left out: `1:25.0.7-2` → 25. */
export function majorVersion(version: string): number {
  return Number.parseInt(version.replace(/^\d+:/, ""), 10);
}

export function update(options: string[] = []): boolean {
  return work("apt-get", [...options, "-qq", "update"]);
}

export function install(names: string[], options: string[] = []): boolean {
  const args = [...options, "install", "-y", "-qq", "--no-install-recommends", ...names];
  return work("apt-get", args, { DEBIAN_FRONTEND: "noninteractive" });
}

/**
 * The sources entry for the backports of this Debian: where its own release comes from, with another suite.
 * @param targets lines of `apt-get indextargets`, each `repository|release|component`
 */
export function backportsSource(targets: string, codename: string): string | undefined {
  const lines = targets.split("\n").map((line) => line.split("|"));
  const main = lines.find(([, release, component]) => release === codename && component === "main");
  if (!main) return undefined;
  const signed = existsSync(debianKeys) ? `Signed-By: ${debianKeys}\n` : "";
  return `Types: deb\nURIs: ${main[0]}\nSuites: ${codename}-backports\nComponents: main\n${signed}`;
}

/**
 * Calls `body` with the apt options under which this Debian's backports are one source more. They live in a
 * temporary copy of the machine's sources, gone afterwards. False where backports cannot be derived.
 */
export function withBackports(body: (options: string[]) => boolean): boolean {
  const { ID, VERSION_CODENAME: codename } = osRelease();
  if (ID !== "debian" || !codename) return false;
  const targets = ask("apt-get", ["indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)"]) ?? "";
  const source = backportsSource(targets, codename);
  if (source === undefined) return false;
  const parts = mkdtempSync(path.join(tmpdir(), "weft-apt-"));
  try {
    for (const name of existsSync(sourceParts) ? readdirSync(sourceParts) : []) {
      symlinkSync(path.join(sourceParts, name), path.join(parts, name));
    }
    writeFileSync(path.join(parts, "weft-backports.sources"), source);
    // Readable for the user that apt downloads as.
    work("chmod", ["-R", "a+rX", parts]);
    return body(["-o", `Dir::Etc::sourceparts=${parts}`, "-o", "APT::Get::List-Cleanup=0"]);
  } finally {
    rmSync(parts, { recursive: true });
  }
}
