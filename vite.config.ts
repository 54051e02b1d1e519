/** The app's build: a static site with relative URLs that any host can serve. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
// With extension, here and there: this file and what it imports may be read by Node itself one day.
import { headersPlugin } from "./tools/lib/headersPlugin.ts";

export default defineConfig({
  base: "./",
  // Rooms are behind #: a path that is not a file is a 404, not the page again.
  appType: "mpa",
  plugins: [svelte({ configFile: false }), headersPlugin()],
  worker: { format: "es" },
  build: {
    // Every browser with WebGPU is newer than this.
    target: "es2023",
    // A font or an image as a data: URL would need a wider policy than 'self'.
    assetsInlineLimit: 0,
    license: { fileName: "licenses.md" },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
