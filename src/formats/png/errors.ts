/** A PNG that cannot be read or extended. */
import { WeftError } from "../../base/errors";

export class PngError extends WeftError {
  constructor(name: string, why: string) {
    super("not-png", `"${name}" is not a complete PNG image: ${why}.`, "Save or download the image again.");
  }
}
