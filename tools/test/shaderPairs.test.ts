/** A kernel is a pair: `shaders/x.wgsl` and `src/engine/kernels/x.ts`, which imports it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { root } from "../lib/process";

const shaderFolder = path.join(root, "shaders");
const kernelFolder = path.join(root, "src/engine/kernels");
const namesIn = (folder: string, extension: string) =>
  readdirSync(folder)
    .filter((file) => file.endsWith(extension))
    .map((file) => path.basename(file, extension));

const shaders = namesIn(shaderFolder, ".wgsl");
const kernels = namesIn(kernelFolder, ".ts").filter((name) =>
  /from "[^"]*\.wgsl\?raw"/.test(readFileSync(path.join(kernelFolder, `${name}.ts`), "utf8")),
);

it("gives every shader its kernel and every kernel its shader", () => {
  expect(kernels.toSorted()).toEqual(shaders.toSorted());
});

it("imports the shader of the kernel's own name", () => {
  const strays = shaders.filter((name) => {
    const kernel = path.join(kernelFolder, `${name}.ts`);
    return !existsSync(kernel) || !readFileSync(kernel, "utf8").includes(`shaders/${name}.wgsl?raw"`);
  });
  expect(strays).toEqual([]);
});
