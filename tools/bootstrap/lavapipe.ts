/**
 * Makes sure that kernels can run in Node on a machine without a GPU. lavapipe (Mesa's Vulkan on the processor)
 * is several times faster than SwiftShader and has f16; where it cannot be had, Chromium's SwiftShader does.
 */
import { say } from "../lib/process";
import { findDriver, hasGpu } from "../lib/vulkan";
import * as apt from "./apt";

const name = "mesa-vulkan-drivers";
/** Dawn refuses the lavapipe of older versions, Debian 12's own among them. */
const oldest = 23;

function isNewEnough(version: string | undefined): boolean {
  return version !== undefined && apt.majorVersion(version) >= oldest;
}

/** Present in a version that Dawn takes. Without dpkg the version is unknown and taken on trust. */
function isPresent(): boolean {
  if (findDriver("lavapipe") === undefined) return false;
  const version = apt.installedVersion(name);
  return version === undefined || isNewEnough(version);
}

function installFromBackports(): boolean {
  say(`this Debian's own ${name} is older than ${oldest}: taking it from the release's backports`);
  return apt.withBackports((options) => {
    const { VERSION_CODENAME = "" } = apt.osRelease();
    return apt.update(options) && apt.install([`${name}/${VERSION_CODENAME}-backports`], options);
  });
}

function installDriver(): boolean {
  say(`installing ${name} with apt: kernels run on the processor in Node, through lavapipe`);
  apt.update();
  if (isNewEnough(apt.candidateVersion(name))) return apt.install([name]);
  return installFromBackports();
}

/** Never fails: the tests of kernels say which adapter they ran on. Call after `ensureBrowser`. */
export function ensureKernelDriver(): void {
  if (process.platform !== "linux" || hasGpu() || isPresent()) return;
  if (apt.canInstall() && installDriver() && isPresent()) return;
  const fallback = findDriver("swiftshader")
    ? "kernels run on Chromium's SwiftShader, slowly"
    : "no adapter for Node";
  say(`lavapipe (${name} ${oldest} or newer) is not here: ${fallback}`);
}
