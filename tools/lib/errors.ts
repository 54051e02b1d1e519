/** Commands speak to people: a WeftError is a sentence and a hint, everything else keeps its stack. */
import { WeftError } from "../../src/base/errors";

/** Runs a command; sets the exit code when it fails. */
export async function reportingErrors(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof WeftError)
      process.stderr.write(`${error.message}\n${error.hint ? `${error.hint}\n` : ""}`);
    else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
}
