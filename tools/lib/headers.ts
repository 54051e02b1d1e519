/**
 * The HTTP headers of the app: one source for the dev server, for `npm start` and for `dist/_headers`, the file
 * that static hosts such as Cloudflare Pages and Netlify read.
 */

import { modelHosts } from "../../src/checkpoints/hosts.ts";

const policy: Record<string, string[]> = {
  "default-src": ["'none'"],
  "script-src": ["'self'", "'wasm-unsafe-eval'"],
  "worker-src": ["'self'"],
  "style-src": ["'self'"],
  "img-src": ["'self'", "blob:", "data:"],
  "font-src": ["'self'"],
  "connect-src": ["'self'", ...modelHosts],
  "manifest-src": ["'self'"],
  "base-uri": ["'none'"],
  "form-action": ["'none'"],
  "frame-ancestors": ["'none'"],
  "object-src": ["'none'"],
  "require-trusted-types-for": ["'script'"],
  // `default` is src/app/trustedTypes.ts: it lets workers of this origin start.
  "trusted-types": ["svelte-trusted-html", "default", "'allow-duplicates'"],
};

/** What a `<meta>` tag cannot carry; a browser would only complain about it. */
const headerOnly = ["frame-ancestors"];

function serialise(directives: [string, string[]][]): string {
  return directives.map(([name, values]) => `${name} ${values.join(" ")}`).join("; ");
}

/**
 * The Content-Security-Policy.
 * @param styleNonce for Vite's dev server, which inserts styles from scripts; the built app has none
 */
export function contentSecurityPolicy(styleNonce?: string): string {
  const styles = [...(policy["style-src"] ?? []), ...(styleNonce ? [`'nonce-${styleNonce}'`] : [])];
  return serialise(Object.entries({ ...policy, "style-src": styles }));
}

/** The policy for a `<meta>` tag: for hosts that send no headers of ours, such as GitHub Pages. */
export function metaContentSecurityPolicy(): string {
  return serialise(Object.entries(policy).filter(([name]) => !headerOnly.includes(name)));
}

const common: Record<string, string> = {
  "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** By path, for files only: names under `assets/` contain a hash of the content. */
const caching: [path: string, value: string][] = [
  ["/assets/*", "public, max-age=31536000, immutable"],
  ["/", "no-cache"],
  ["/index.html", "no-cache"],
  ["/sw.js", "no-cache"],
];

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

/**
 * The headers of one response.
 * @param path of the request, beginning with `/`, without query
 */
export function headersFor(path: string, styleNonce?: string): Record<string, string> {
  const cache = caching.find(([pattern]) => matches(pattern, path))?.[1];
  return {
    "Content-Security-Policy": contentSecurityPolicy(styleNonce),
    ...common,
    ...(cache === undefined ? {} : { "Cache-Control": cache }),
  };
}

/** The same as a `_headers` file. Hosts join the values of several matching rules, so no header is set twice. */
export function headersFile(): string {
  const everywhere = Object.entries({ "Content-Security-Policy": contentSecurityPolicy(), ...common });
  const rules: [string, [string, string][]][] = [
    ["/*", everywhere],
    ...caching.map(([path, value]): [string, [string, string][]] => [path, [["Cache-Control", value]]]),
  ];
  return rules
    .map(([path, headers]) => `${path}\n${headers.map(([name, value]) => `  ${name}: ${value}\n`).join("")}`)
    .join("");
}
