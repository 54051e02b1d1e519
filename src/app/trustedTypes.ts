/**
 * The page's policy demands Trusted Types (tools/lib/headers.ts), under which a plain string may not become a
 * script: neither as HTML nor as the address of a worker. Weft needs one exception: its own workers.
 */

interface PolicyRules {
  createScriptURL(url: string): string | null;
}

interface TrustedTypes {
  createPolicy(name: "default", rules: PolicyRules): unknown;
}

/** The address itself when it lies on this origin, null (refused) otherwise. */
export function ownScript(url: string, origin: string): string | null {
  return new URL(url, origin).origin === origin ? url : null;
}

/** Lets `new Worker(url)` take addresses of this origin. Call once, before the first worker starts. */
export function allowOwnWorkers(): void {
  // Absent from the DOM types of TypeScript 5.9, and from browsers that do not have it and do not enforce it.
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  trustedTypes?.createPolicy("default", { createScriptURL: (url) => ownScript(url, location.origin) });
}
