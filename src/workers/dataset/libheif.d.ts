/** The package has types for its main entry only; `heic.ts` says what it uses. */
declare module "libheif-js/libheif-wasm/libheif-bundle.mjs" {
  export default function start(): never;
}
