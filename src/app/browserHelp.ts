/** What to do when WebGPU is missing, for the browser and system at hand (versions: conventions page, August 2026). */

export interface BrowserHelp {
  title: string;
  steps: string[];
}

interface Surroundings {
  browser: "chrome" | "edge" | "firefox" | "safari" | "other";
  /** Major version; 0 when unknown. */
  version: number;
  system: "windows" | "mac" | "linux" | "android" | "ios" | "chromeos" | "other";
}

const browserPatterns: [Surroundings["browser"], RegExp][] = [
  ["edge", /Edg(?:e|A|iOS)?\/(\d+)/],
  ["firefox", /(?:Firefox|FxiOS)\/(\d+)/],
  ["chrome", /(?:Chrome|CriOS)\/(\d+)/],
  ["safari", /Version\/(\d+).*Safari/],
];

const systemPatterns: [Surroundings["system"], RegExp][] = [
  ["ios", /iPhone|iPad/],
  ["android", /Android/],
  ["chromeos", /CrOS/],
  ["windows", /Windows/],
  ["mac", /Mac OS X/],
  ["linux", /Linux/],
];

/** Reads browser and system from a user agent string. */
export function surroundings(userAgent: string): Surroundings {
  const system = systemPatterns.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? "other";
  for (const [browser, pattern] of browserPatterns) {
    const match = pattern.exec(userAgent);
    if (match) return { browser, version: Number(match[1]), system };
  }
  return { browser: "other", version: 0, system };
}

const accelerationStep =
  "Open Settings › System and turn on “Use graphics acceleration when available”, then restart the browser.";

function chromiumSteps({ browser, version, system }: Surroundings): string[] {
  const scheme = browser === "edge" ? "edge" : "chrome";
  if (system === "ios")
    return ["Browsers on iPhone and iPad share Safari's engine: update to iOS 26 or newer."];
  if (system === "android")
    return version < 121
      ? ["Update Chrome to version 121 or newer."]
      : ["This phone's GPU has no WebGPU driver yet; use a computer to train."];
  if (version < 113) return [`Update the browser: WebGPU needs version 113 or newer, this is ${version}.`];
  if (system !== "linux")
    return [
      accelerationStep,
      `If that does not help, look at ${scheme}://gpu: the line “WebGPU” tells why it is off. A newer graphics driver is the usual cure.`,
    ];
  return [
    `Open ${scheme}://flags, enable “Vulkan” and “Unsafe WebGPU Support”, and restart the browser. On Linux they are on by default only for recent Intel GPUs.`,
    accelerationStep,
  ];
}

/** Steps that turn WebGPU on for this user agent, most likely first. */
export function webgpuHelp(userAgent: string): BrowserHelp {
  const here = surroundings(userAgent);
  const { browser, system } = here;
  const chrome = "Or open this page in Chrome or Edge 113 or newer.";
  if (browser === "chrome" || browser === "edge")
    return { title: "WebGPU is switched off here", steps: chromiumSteps(here) };
  if (browser === "safari")
    return {
      title: "This Safari has no WebGPU",
      steps: [
        `Update to ${system === "ios" ? "iOS" : "macOS"} 26 with Safari 26 or newer.`,
        system === "ios" ? "Or use a computer." : chrome,
      ],
    };
  if (browser === "firefox" && system === "linux")
    return {
      title: "Firefox on Linux has no WebGPU yet",
      steps: ["Open this page in Chrome: enable “Vulkan” and “Unsafe WebGPU Support” in chrome://flags."],
    };
  if (browser === "firefox")
    return {
      title: "This Firefox has no WebGPU",
      steps: ["Update Firefox: 141 or newer on Windows, 147 on a Mac with Apple silicon.", chrome],
    };
  return {
    title: "This browser has no WebGPU",
    steps: ["Open this page in Chrome or Edge 113 or newer on a computer."],
  };
}
