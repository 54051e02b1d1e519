/** Gives {@link headersFor} to Vite's dev server, its preview server and the built site. */
import { randomUUID } from "node:crypto";
import type { Connect, Plugin } from "vite";
import { headersFile, headersFor, metaContentSecurityPolicy } from "./headers.ts";

function setHeaders(styleNonce?: string): Connect.NextHandleFunction {
  return (request, response, next) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    for (const [name, value] of Object.entries(headersFor(pathname, styleNonce)))
      response.setHeader(name, value);
    next();
  };
}

export function headersPlugin(): Plugin {
  const styleNonce = randomUUID();
  return {
    name: "weft-headers",
    config: (_, { command, isPreview }) =>
      command === "serve" && !isPreview ? { html: { cspNonce: styleNonce } } : {},
    configureServer: (server) => void server.middlewares.use(setHeaders(styleNonce)),
    configurePreviewServer: (server) => void server.middlewares.use(setHeaders()),
    transformIndexHtml: (_, { server }) =>
      server
        ? []
        : [
            {
              tag: "meta",
              attrs: { "http-equiv": "Content-Security-Policy", content: metaContentSecurityPolicy() },
              injectTo: "head-prepend",
            },
          ],
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "_headers", source: headersFile() });
    },
  };
}
