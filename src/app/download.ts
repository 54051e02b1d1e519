/** Hands a file to the person through the browser's download list. */

/** Long enough for the browser to have opened the blob. */
const urlLifetime = 60_000;

export function download(content: Blob | Uint8Array<ArrayBuffer> | string, fileName: string): void {
  const blob = content instanceof Blob ? content : new Blob([content]);
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), urlLifetime);
}
