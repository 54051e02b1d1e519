/** Writes small models of every kind of captioner: `node tools/run.mjs tools/captioner/main.ts --out DIR [--seed N]`. */
import { Command } from "commander";
import { writeSmallModels } from "./files";

const program = new Command()
  .requiredOption("--out <folder>", "where the models go")
  .option("--seed <number>", "of the CLIP pair's weights", Number, 4)
  .parse();
const { out, seed } = program.opts<{ out: string; seed: number }>();
for (const folder of Object.values(writeSmallModels(out, seed))) console.log(folder);
