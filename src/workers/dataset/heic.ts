/**
 * HEIC, the format of iPhone photos, which only Safari decodes by itself. libheif (LGPL-3.0) is loaded when the first such file
 * comes, from a file of its own.
 */
import { WeftError } from "../../base/errors";

/** The part of libheif's interface that is used here. */
interface HeifImage {
  get_width(): number;
  get_height(): number;
  display(into: ImageData, then: (result: ImageData | null) => void): void;
  free(): void;
}
interface Libheif {
  HeifDecoder: new () => { decode(bytes: Uint8Array): HeifImage[] };
}

let library: Promise<Libheif> | undefined;

async function load(): Promise<Libheif> {
  const { default: start } = await import("libheif-js/libheif-wasm/libheif-bundle.mjs");
  return start();
}

function pixelsOf(image: HeifImage): Promise<ImageData> {
  const into = new ImageData(image.get_width(), image.get_height());
  return new Promise((resolve, reject) =>
    image.display(into, (result) => {
      if (result) resolve(result);
      else reject(new WeftError("undecodable", "is damaged: it cannot be decoded.", "Save it as JPEG."));
    }),
  );
}

/** The first picture of the file, upright. @throws WeftError `undecodable`; the message reads after the file's name. */
export async function openHeic(file: Blob): Promise<ImageBitmap> {
  library ??= load();
  const { HeifDecoder } = await library.catch((error: unknown) => {
    library = undefined;
    throw error;
  });
  const images = new HeifDecoder().decode(new Uint8Array(await file.arrayBuffer()));
  try {
    const [first] = images;
    if (!first) throw new WeftError("undecodable", "is damaged: it cannot be decoded.", "Save it as JPEG.");
    return await createImageBitmap(await pixelsOf(first), { premultiplyAlpha: "none" });
  } finally {
    for (const image of images) image.free();
  }
}
