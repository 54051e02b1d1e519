/**
 * Which folder may import which: the table in CONTRIBUTING.md as rules. `npm run check` holds it.
 * A folder may always import itself, packages, and anyone's `meta.ts` (plain data for menus).
 */
/** What every model family has in common. A family's own folder is named by `models/index.ts` and workers only. */
const anyFamily = ["src/models/(?!index\\.ts)[^/]+\\.ts$"];

const below = {
  base: [],
  formats: ["src/base/"],
  storage: ["src/base/"],
  engine: ["src/base/", "shaders/"],
  diffusion: ["src/base/", "src/engine/"],
  models: ["src/base/", "src/formats/", "src/engine/", "src/diffusion/"],
  training: [
    "src/base/",
    "src/formats/",
    "src/engine/",
    "src/diffusion/",
    ...anyFamily,
    "src/models/(lora|inputs)/",
  ],
  sampling: ["src/base/", "src/engine/", "src/diffusion/", ...anyFamily],
  checkpoints: ["src/base/", "src/formats/", "src/storage/", "src/engine/"],
  dataset: ["src/base/", "src/formats/", "src/storage/"],
  captioning: ["src/base/", "src/formats/", "src/dataset/"],
  workers: ["src/(?!app/|ui/|main\\.ts)"],
  app: [
    "src/base/",
    "src/formats/",
    "src/dataset/",
    "src/captioning/([^/]+|interrogator/lists)\\.ts$",
    "src/storage/",
    "src/workers/([^/]+/(api|client)|failure)\\.ts$",
  ],
  ui: ["src/base/", "src/app/"],
};

/** Tests and what only they use may reach anywhere. */
const tests = "(\\.(test|bench)\\.ts$|/testing/)";
const packages = "(^|/)node_modules/";
const meta = "^src/.+/meta\\.ts$";
/** A package's file by its address: `x.wasm?url`. */
const address = "\\?url$";

const arrows = Object.entries(below).map(([folder, allowed]) => ({
  name: `${folder}-imports`,
  severity: "error",
  comment: `src/${folder} may import: ${allowed.join(", ") || "nothing"}`,
  from: { path: `^src/${folder}/`, pathNot: [tests, ...(folder === "ui" ? ["^src/ui/lab/"] : [])] },
  to: {
    pathNot: [`^src/${folder}/`, packages, address, meta, ...allowed.map((place) => `^${place}`)],
    dependencyTypesNot: ["core"],
  },
}));

const typesOnly = (name, from, to) => ({
  name,
  severity: "error",
  comment: "types only: the value belongs to whoever composes the two",
  from: { path: from, pathNot: tests },
  to: { path: to, pathNot: meta, dependencyTypesNot: ["type-only"] },
});

export default {
  forbidden: [
    ...arrows,
    typesOnly("models-are-known-by-type", "^src/(training|sampling)/", "^src/models/[^/]+\\.ts$"),

    {
      name: "lab-imports",
      severity: "error",
      comment: "the kernel lab may look at the engine besides what every component may import",
      from: { path: "^src/ui/lab/", pathNot: tests },
      to: { pathNot: ["^src/(ui|base|app|engine)/", "^shaders/", packages, meta] },
    },
    {
      name: "meta-is-data",
      severity: "error",
      comment: "meta.ts is read by everyone, so it brings nothing along but base",
      from: { path: meta },
      to: { pathNot: ["^src/base/", meta] },
    },
    {
      name: "no-node-in-the-app",
      severity: "error",
      comment: "what ships runs in a browser; Node belongs to tools/ and tests",
      from: { path: "^src/", pathNot: tests },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-tools-in-the-app",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: "^(tools|e2e)/" },
    },
    {
      name: "testing-is-for-tests",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: "/testing/" },
    },
    {
      name: "app-packages-are-dependencies",
      severity: "error",
      comment: "what the app imports as a value is listed under dependencies (or is Svelte itself)",
      from: { path: "^src/", pathNot: tests },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"], pathNot: `${packages}svelte/` },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "\\?" } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.worker.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js", ".svelte", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["svelte", "browser", "import", "node", "default"],
    },
  },
};
