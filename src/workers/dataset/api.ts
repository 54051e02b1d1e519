/** What the page may ask of the dataset worker. Types only. */

export interface ImportedImage {
  id: string;
  /** File name as the person knows it, with its folder inside the drop. */
  name: string;
  width: number;
  height: number;
  bytes: number;
  /** The original file, untouched; what is stored and exported. */
  original: Blob;
  /** A WebP or PNG of at most 256 px. */
  thumbnail: Blob;
  caption: string;
  captionSource: "file" | "folder" | "none";
  repeats: number;
  /** What the person should know: rotated by EXIF, alpha composited, smaller than the training size … */
  notes: string[];
}

export interface RefusedFile {
  name: string;
  code: string;
  reason: string;
}

export type ImportEvent =
  | { kind: "progress"; done: number; total: number }
  | { kind: "image"; image: ImportedImage }
  | { kind: "refused"; file: RefusedFile };

export interface NamedFile {
  /** Path inside the drop, e.g. `10_mystyle/cat.png`. */
  path: string;
  file: Blob;
}

export interface DecodedImage {
  pixels: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
}

export interface DatasetWorker {
  /** Reads images, caption files, kohya folders and zips; one bad file never stops the rest. */
  importFiles(jobId: string, files: NamedFile[], onEvent: (event: ImportEvent) => void): Promise<void>;
  /**
   * Decodes one original for training: oriented, alpha composited on white, RGBA.
   * With `resolution` it is also resized and cropped to its bucket, so that a folder of photographs never
   * crosses a worker border at full size.
   */
  decode(original: Blob, name: string, resolution?: number): Promise<DecodedImage>;
  cancel(jobId: string): Promise<void>;
}
