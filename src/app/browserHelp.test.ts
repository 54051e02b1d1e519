import { expect, test } from "vitest";
import { surroundings, webgpuHelp } from "./browserHelp";

const chromeLinux =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const edgeWindows =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0";
const firefoxLinux = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";
const safariMac =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15";

test("browser and system are told apart", () => {
  expect(surroundings(edgeWindows)).toEqual({ browser: "edge", version: 150, system: "windows" });
  expect(surroundings(safariMac)).toEqual({ browser: "safari", version: 18, system: "mac" });
});

test("T-A4: each gets the step that helps there", () => {
  expect(webgpuHelp(chromeLinux).steps[0]).toContain("chrome://flags");
  expect(webgpuHelp(edgeWindows).steps[0]).toContain("Settings › System");
  expect(webgpuHelp(firefoxLinux).steps[0]).toContain("Chrome");
  expect(webgpuHelp(safariMac).steps[0]).toContain("macOS 26");
  expect(webgpuHelp("curl/8").steps).toHaveLength(1);
});
