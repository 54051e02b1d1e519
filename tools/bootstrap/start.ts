/** `npm start`: builds the app if needed, serves `dist/` on this machine and opens the browser. */
import { preview } from "vite";
import { root } from "../lib/process";
import { buildIfStale } from "./build";

const port = process.env["PORT"];

await buildIfStale();
const server = await preview({
  root,
  logLevel: "warn",
  preview: {
    port: Number(port ?? 4173),
    // A chosen port is meant; the default may give way to the next free one.
    strictPort: port !== undefined,
    open: process.env["NO_OPEN"] !== "1",
  },
});
process.stdout.write(
  `Weft is at ${server.resolvedUrls?.local[0] ?? `http://localhost:${port}/`}  (Ctrl+C stops it)\n`,
);
