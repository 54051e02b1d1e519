/**
 * Where Vulkan drivers that run on the processor lie on this machine. Linux only: elsewhere Dawn uses the
 * system's own interface and there is nothing to look for.
 */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { findBrowser } from "./browser";

export type SoftwareDriver = "lavapipe" | "swiftshader";

const driverFolders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
const browserFolders = [
  "/usr/lib/chromium",
  "/usr/lib64/chromium",
  "/usr/lib/chromium-browser",
  "/usr/lib64/chromium-browser",
  "/opt/google/chrome",
];

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Debian names the file `lvp_icd.json`, others add the architecture. */
function findLavapipe(): string | undefined {
  for (const folder of driverFolders) {
    const name = list(folder).find((file) => /^lvp_icd.*\.json$/.test(file));
    if (name !== undefined) return path.join(folder, name);
  }
  return undefined;
}

/** Every Chromium brings SwiftShader with its description file beside the browser's executable. */
function findSwiftshader(): string | undefined {
  const browser = findBrowser();
  const beside = browser === undefined ? [] : [path.dirname(realpathSync(browser))];
  return [...beside, ...browserFolders]
    .map((folder) => path.join(folder, "vk_swiftshader_icd.json"))
    .find((file) => existsSync(file));
}

/** The driver's description file (for `VK_ICD_FILENAMES`), or undefined where it is not installed. */
export function findDriver(driver: SoftwareDriver): string | undefined {
  return driver === "lavapipe" ? findLavapipe() : findSwiftshader();
}

/** Whether the kernel shows a GPU: without one, asking every driver costs 0.2 s for nothing. */
export function hasGpu(): boolean {
  if (process.platform !== "linux") return true;
  const renders = list("/dev/dri").some((name) => name.startsWith("renderD"));
  return renders || ["/dev/nvidia0", "/dev/dxg", "/dev/kgsl-3d0"].some((file) => existsSync(file));
}
