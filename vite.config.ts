/** The app's build: a static site with relative URLs that any host can serve. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
// With extensions, here and there: this file and what it imports may be read by Node itself one day.
import { headersPlugin } from "./tools/lib/headersPlugin.ts";
import { licensesPlugins } from "./tools/lib/licensesPlugin.ts";

const licenses = licensesPlugins();
const rolldownOptions = { checks: { pluginTimings: false } };

export default defineConfig({
  base: "./",
  // Rooms are behind #: a path that is not a file is a 404, not the page again.
  appType: "mpa",
  plugins: [svelte({ configFile: false }), headersPlugin(), licenses.page],
  resolve: {
    // transformers.js runs on our copy of ONNX Runtime; its own would come from a content network.
    alias: [
      {
        find: /^onnxruntime-web\/webgpu$/,
        replacement: fileURLToPath(new URL("src/workers/caption/ort.ts", import.meta.url)),
      },
    ],
  },
  worker: { format: "es", plugins: () => [licenses.worker()], rolldownOptions },
  build: {
    // Every browser with WebGPU is newer than this.
    target: "es2023",
    // A font or an image as a data: URL would need a wider policy than 'self'.
    assetsInlineLimit: 0,
    rolldownOptions,
  },
});
