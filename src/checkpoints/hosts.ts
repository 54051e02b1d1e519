/**
 * Where checkpoints may be fetched from: this origin, and what is listed here. The Content-Security-Policy is made of
 * the same list (tools/lib/headers.ts), so a page that was tricked cannot reach further either.
 * Why, and what a self-hosted copy changes: docs/decisions/downloads.md.
 */
export const HUB = "https://huggingface.co";

/** As in a policy: `https://*.x` means every host below x. The hub redirects downloads to changing hosts. */
export const modelHosts: readonly string[] = [HUB, "https://*.huggingface.co", "https://*.hf.co"];

/** Whether the policy lets the app read from this address. @param origin the app's own */
export function isAllowedHost(url: URL, origin: string): boolean {
  if (url.origin === origin) return true;
  return modelHosts.some((pattern) => {
    const below = /^(https:)\/\/\*(\..+)$/.exec(pattern);
    if (!below) return url.origin === pattern;
    return url.protocol === below[1] && url.host.endsWith(below[2] ?? "/");
  });
}
