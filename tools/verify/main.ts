/**
 * `npm run verify -- DIR... [--json] [--only KIND]`
 *
 * Computes every golden case found under the folders with the shipped code. One line per outcome; the last
 * line is the totals; exits non-zero when a case failed or none was found.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { Command } from "commander";
import { WeftError } from "../../src/base/errors";
import { findCaseFolders } from "./cases";
import { createVerifyEnv } from "./environment";
import { outcomeLine, total, totalsLine } from "./report";
import type { ReportedOutcome } from "./report";
import { runFolder } from "./run";

interface Options {
  json?: boolean;
  only?: string[];
}

async function* caseFolders(folders: string[]): AsyncGenerator<{ dir: string; base: string }> {
  for (const folder of folders) {
    const base = path.resolve(folder);
    if (!existsSync(base))
      throw new WeftError("no-folder", `${folder} does not exist`, "Give the folder of golden cases.");
    for (const dir of await findCaseFolders(base)) yield { dir, base };
  }
}

async function verify(folders: string[], options: Options): Promise<void> {
  const env = createVerifyEnv();
  const log = options.json ? console.error : console.log; // with --json, stdout is one JSON document
  const outcomes: ReportedOutcome[] = [];
  for await (const { dir, base } of caseFolders(folders)) {
    for (const outcome of await runFolder(dir, base, env, options.only)) {
      log(outcomeLine(outcome));
      outcomes.push(outcome);
    }
  }
  if (outcomes.length === 0) log(`no golden cases under ${folders.join(", ")}`);
  const totals = total(outcomes);
  if (options.json) console.log(JSON.stringify({ ...totals, outcomes }, null, 1));
  log(totalsLine(totals));
  process.exit(totals.failed > 0 || outcomes.length === 0 ? 1 : 0); // an open device would keep Node alive
}

const collect = (kind: string, kinds: string[] = []) => [...kinds, kind];

await new Command("verify")
  .description("compute golden cases and compare")
  .argument("<folders...>", "folders with golden cases")
  .option("--json", "print one JSON document on stdout, the lines on stderr")
  .option("--only <kind>", "run this kind only; may be given again for more", collect)
  .action(verify)
  .parseAsync();
