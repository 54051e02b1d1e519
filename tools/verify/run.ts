/** Runs one case with the code of its kind. */
import { kindOf, loadCase } from "./cases";
import type { ReportedOutcome } from "./report";
import type { VerifyCase, VerifyEnv, VerifyKind, VerifyOutcome } from "./types";

/** A kind is registered by its file being there. */
const kinds = import.meta.glob<{ kind: VerifyKind }>(["./kinds/*.ts", "!./kinds/*.test.ts"]);

async function findKind(name: string): Promise<VerifyKind | undefined> {
  const file = `./kinds/${name}.ts`;
  if (!Object.hasOwn(kinds, file)) return undefined;
  return (await kinds[file]?.())?.kind;
}

/** Never rejects: a case that throws is a failed case with the error's message. */
async function runCase(c: VerifyCase, env: VerifyEnv): Promise<VerifyOutcome[]> {
  try {
    const kind = await findKind(kindOf(c));
    if (!kind) return [{ status: "skipped", detail: `kind "${kindOf(c)}" is not built yet` }];
    return [await kind.run(c, env)].flat();
  } catch (error) {
    return [failure(error)];
  }
}

function failure(error: unknown): VerifyOutcome {
  return { status: "failed", detail: error instanceof Error ? error.message : String(error) };
}

/**
 * Loads and runs the case in `dir`. Never rejects.
 * @param base the folder given on the command line; the case is named relative to it.
 * @param only when given, a case of another kind gives no outcome.
 */
export async function runFolder(
  dir: string,
  base: string,
  env: VerifyEnv,
  only?: readonly string[],
): Promise<ReportedOutcome[]> {
  const start = performance.now();
  const c = await loadCase(dir, base).catch(failure);
  if ("status" in c) return [{ case: dir, kind: "unknown", seconds: 0, ...c }];
  if (only && !only.includes(kindOf(c))) return [];
  const outcomes = await runCase(c, env);
  const seconds = (performance.now() - start) / 1000;
  return outcomes.map((outcome) => ({ case: c.name, kind: kindOf(c), seconds, ...outcome }));
}
