/** What the page may ask of a dataset worker. Types only. */
import type { CropPoint } from "../../dataset/crop";
import type { Finding, Patient, Examination } from "../../dataset/doctor/types";
import type { ExportEntry } from "../../dataset/exportPlan";
import type { ImageHeader } from "../../dataset/imageHeader";
import type { ImageLook } from "../../dataset/imageLook";

/** A caption file as it came, so that a caption nobody touched goes out byte for byte. */
export interface CaptionBytes {
  /** Without its dot, as written: `txt`. */
  extension: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface ImportedImage {
  id: string;
  /** File name as the person knows it, with its folder inside the drop. */
  name: string;
  width: number;
  height: number;
  bytes: number;
  format: ImageHeader["format"];
  /** The original file, untouched; what is stored and exported. */
  original: Blob;
  /** A WebP or PNG of at most 256 px. */
  thumbnail: Blob;
  caption: string;
  captionSource: "file" | "folder" | "none";
  /** The file that the caption was read from, and the caption that was read. */
  captionFile?: CaptionBytes & { caption: string };
  /** Caption files with other endings beside it; kept for the export. */
  otherCaptions?: CaptionBytes[];
  repeats: number;
  /** What the person should know: rotated by EXIF, alpha composited, smaller than the training size … */
  notes: string[];
  look: ImageLook;
  /** Whether any pixel is transparent. */
  alpha: boolean;
}

export interface RefusedFile {
  name: string;
  code: string;
  reason: string;
}

export type ImportEvent =
  | {
      kind: "progress";
      done: number;
      total: number;
      /** Undefined until it can be told. */ secondsLeft?: number;
    }
  | { kind: "image"; image: ImportedImage }
  | { kind: "refused"; file: RefusedFile }
  /** Something about the whole drop that the person should know. */
  | { kind: "note"; note: string };

export interface NamedFile {
  /** Path inside the drop, e.g. `10_mystyle/cat.png`. */
  path: string;
  file: Blob;
}

/** A picture that an import will read, with what the rest of the drop says about it. */
export interface PlannedPicture {
  path: string;
  /** The caption files that belong to it; the first one is read. */
  captionPaths: string[];
  repeats: number;
  classTokens: string;
  metadataCaption: string;
}

export interface ImportPlan {
  /** How many pictures will be read; {@link DatasetWorker.planned} gives them. */
  pictures: number;
  refused: RefusedFile[];
  notes: string[];
}

/** A planned picture with its bytes. */
export interface PictureTask extends Omit<PlannedPicture, "captionPaths"> {
  file: Blob;
  captions: { path: string; file: Blob }[];
}

/** What the doctor is told besides the pictures. */
export type DoctorQuestion = Pick<Examination, "resolution" | "trigger" | "preset">;

export interface DecodedImage {
  pixels: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
  /** Size before it was cut to a bucket. */
  originalSize?: readonly [width: number, height: number];
  /** How opaque each pixel was, 0…255, `[height, width]`; only where it was asked for. */
  mask?: Uint8Array<ArrayBuffer>;
}

/** What a picture is decoded for. */
export interface Preparation {
  resolution: number;
  crop?: CropPoint | undefined;
  /** Its transparent parts are left out of the loss: they come along as a mask. */
  masked: boolean;
}

export interface DatasetWorker {
  /**
   * Looks through a drop without decoding anything: zips are listed, metadata and dataset configs read.
   * @param paths all files of the drop, each once
   * @param files those of them that have to be read for it
   */
  plan(jobId: string, paths: string[], files: NamedFile[]): Promise<ImportPlan>;
  /** Some pictures of a planned drop, in the order of their names: the page would stall on thousands at once. */
  planned(jobId: string, from: number, count: number): Promise<PlannedPicture[]>;
  /** Inflates entries of a planned drop's zips. @throws the reason when one cannot be. */
  inflate(jobId: string, paths: string[]): Promise<Blob[]>;
  /** Forgets the zips of a drop. */
  endJob(jobId: string): Promise<void>;
  /** Decodes one picture, makes its thumbnail and looks at it. @throws the reason, which reads after the file's name. */
  readPicture(task: PictureTask): Promise<ImportedImage>;
  /**
   * Decodes one original for training: oriented, alpha composited on white, RGBA,
   * resized and cropped to its bucket, so that a folder of photographs never crosses a worker border at full size.
   */
  decode(original: Blob, name: string, preparation: Preparation): Promise<DecodedImage>;
  /**
   * Adds pictures to those the doctor knows; `isFirst` forgets the earlier ones. In parts, so that the page never stalls on
   * handing over ten thousand at once.
   */
  showDoctor(patients: Patient[], isFirst: boolean): Promise<void>;
  /** What is worth saying about the pictures shown last. */
  diagnose(question: DoctorQuestion): Promise<Finding[]>;
  /** Writes a zip of stored originals and of bytes. @param onProgress counts of entries */
  writeZip(entries: ExportEntry[], onProgress: (done: number) => void): Promise<Blob>;
}
