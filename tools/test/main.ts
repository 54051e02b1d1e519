/**
 * `npm test`: installs what the tests need, then runs static checks, unit tests, kernel tests and whole-app tests.
 * A failure does not stop the rest. The last line is `N passed, N failed`.
 */
import { Command, Option } from "commander";
import { ensureBrowser } from "../bootstrap/browser";
import { ensureKernelDriver } from "../bootstrap/lavapipe";
import { one, total, type Counts } from "./counts";
import { groups, steps, type Group, type Step } from "./steps";

interface Result extends Counts {
  name: string;
  seconds: number;
}

const print = (text: string) => void process.stdout.write(`${text}\n`);

function parseGroup(): Group | undefined {
  const only = new Option("--only <part>", "run one part").choices(groups);
  const command = new Command("npm test --").addOption(only).parse();
  return command.opts<{ only?: Group }>().only;
}

/** Runs one step; a step that throws has failed. */
async function runStep(step: Step): Promise<Result> {
  const start = performance.now();
  const { output = "", ...counts } = await step.run().catch((error: unknown) => ({
    ...one(false),
    output: String(error),
  }));
  const seconds = (performance.now() - start) / 1000;
  print(`${counts.failed > 0 ? "✗" : "✓"} ${step.name} (${seconds.toFixed(1)} s)`);
  if (output !== "") print(output);
  return { name: step.name, seconds, ...counts };
}

/** Static checks are single-threaded: two at a time. They keep their output to themselves, so it does not mix. */
async function runSideBySide(list: Step[], width: number): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...list];
  const lane = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) results.push(await runStep(step));
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

function printTable(results: Result[]): void {
  const width = Math.max(...results.map(({ name }) => name.length));
  print(`\n${"".padEnd(width)}   passed  failed  skipped  seconds`);
  for (const { name, passed, failed, skipped, seconds } of results) {
    const cells = [passed, failed, skipped].map((count, index) =>
      String(count).padStart(index === 2 ? 9 : 8),
    );
    print(`${name.padEnd(width)} ${cells.join("")}${seconds.toFixed(1).padStart(9)}`);
  }
}

function installFor(wanted: Set<Group>): Result[] {
  if (!wanted.has("e2e") && !wanted.has("kernels")) return [];
  const start = performance.now();
  try {
    ensureBrowser();
    ensureKernelDriver();
    return [];
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return [{ name: "install", seconds: (performance.now() - start) / 1000, ...one(false) }];
  }
}

const only = parseGroup();
const wanted = new Set<Group>(only ? [only] : groups);
const chosen = steps.filter(({ group }) => wanted.has(group));
const results = installFor(wanted);
results.push(
  ...(await runSideBySide(
    chosen.filter(({ group }) => group === "check"),
    2,
  )),
);
for (const step of chosen.filter(({ group }) => group !== "check")) {
  print(`\n▶ ${step.name}`);
  results.push(await runStep(step));
}
printTable(results);
const { passed, failed } = total(results);
print(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
