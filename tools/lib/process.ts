/** Starting other programs: quietly for questions, with their output shown for work. */
import { spawn, spawnSync } from "node:child_process";
import path from "node:path";

/** The repository's root folder. */
export const root = path.resolve(import.meta.dirname, "../..");

/** What a program prints, trimmed; undefined when it is missing or fails. */
export function ask(command: string, args: string[]): string | undefined {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

/** Runs a program with its output on stderr; true when it succeeded. */
export function work(command: string, args: string[], env: Record<string, string> = {}): boolean {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...env },
  });
  return done.status === 0;
}

export interface Outcome {
  ok: boolean;
  /** Everything printed, when it was collected. */
  output: string;
}

/**
 * Runs a program without blocking, either showing its output as it comes or collecting it.
 * A program that cannot be started is an outcome too.
 */
export function run(
  command: string,
  args: string[],
  options: { show: boolean; env?: Record<string, string> },
): Promise<Outcome> {
  const env = { ...process.env, ...options.env };
  const stdio = options.show ? "inherit" : "pipe";
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", stdio, stdio], env });
    let output = "";
    const collect = (chunk: Buffer) => void (output += chunk.toString());
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.on("error", (error) => resolve({ ok: false, output: `${output}${error.message}\n` }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** One line about what a command is doing, on stderr. */
export function say(line: string): void {
  process.stderr.write(`weft: ${line}\n`);
}
