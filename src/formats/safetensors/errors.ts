/** Every way a tensor file can disappoint, by a stable word. */
import { WeftError } from "../../base/errors";

/** Reason words; `verify` compares them with the golden kind bad-files. */
export type FileErrorCode =
  | "too-short"
  | "header-length"
  | "header-encoding"
  | "header-json"
  | "header-type"
  | "offsets"
  | "shape"
  | "dtype"
  | "duplicate-key"
  | "truncated"
  | "trailing-data"
  | "nan"
  | "unknown-key"
  | "no-tensors"
  | "missing-tensors"
  | "wrong-base"
  | "not-safetensors"
  | "unreadable";

/** A file that cannot be used, with the file's name in the message and the next step in the hint. */
export class TensorFileError extends WeftError {
  declare readonly code: FileErrorCode;
  constructor(code: FileErrorCode, message: string, hint: string) {
    super(code, message, hint);
  }
}

/** What helps with nearly every damaged file. */
export const DOWNLOAD_AGAIN =
  "The file is damaged or was not downloaded completely. Download it again and compare its size.";

/** Text from a file, made safe and short enough for a message. */
export function quoted(text: string, limit = 80): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
  return `"${visible.length > limit ? `${visible.slice(0, limit)}...` : visible}"`;
}
