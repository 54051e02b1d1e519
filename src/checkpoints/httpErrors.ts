/** What a server's refusal means to a person. */
import { WeftError } from "../base/errors";

export interface Asked {
  /** What was asked for, for people: a file name or a repository. */
  readonly what: string;
  readonly host: string;
  readonly withToken: boolean;
}

/** An error for a status that is not success. */
export function refusedByServer(status: number, { what, host, withToken }: Asked): WeftError {
  switch (status) {
    case 401:
    case 403:
      return new WeftError(
        "gated",
        `${host} does not hand out "${what}" ${withToken ? "with this token" : "without signing in"} (${status}).`,
        withToken
          ? "Accept the model's licence on its page, and use a token that may read it."
          : "Open the model's page, accept its licence, make an access token there and enter it here. Or download the file in your browser and pick it from this computer.",
      );
    case 404:
      return new WeftError(
        "not-found",
        `${host} has no "${what}" (404).`,
        "Check the spelling; private models are hidden unless a token is given.",
      );
    case 429:
      return new WeftError(
        "too-many-requests",
        `${host} asks to wait: too many requests (429).`,
        "Wait a few minutes, then resume. What has arrived is kept.",
      );
    default:
      return new WeftError(
        "server-error",
        `${host} answered ${status} for "${what}".`,
        status >= 500
          ? "The site has a problem. Resume later; what has arrived is kept."
          : "Download the file in your browser and pick it from this computer.",
      );
  }
}

/** The browser tells neither whether the site refused (CORS) nor whether the network is down. */
export function unreachable({ what, host }: Asked, hadBegun: boolean): WeftError {
  if (hadBegun)
    return new WeftError(
      "connection-lost",
      `The connection to ${host} was lost while reading "${what}".`,
      "Resume when you are online again; what has arrived is kept.",
    );
  return new WeftError(
    "unreachable",
    `The browser could not read "${what}" from ${host}: the site does not allow it (CORS), or you are offline.`,
    "If you are online, download the file in your browser and pick it from this computer.",
  );
}

export function notAllowedHost(host: string): WeftError {
  return new WeftError(
    "host-not-allowed",
    `This copy of Weft may not connect to ${host}.`,
    "It talks to its own site and to huggingface.co only. Download the file in your browser and pick it from this computer.",
  );
}

export function noRanges({ what, host }: Asked): WeftError {
  return new WeftError(
    "no-ranges",
    `${host} sends "${what}" only as a whole, so it could not be read in parts or resumed.`,
    "Download the file in your browser and pick it from this computer.",
  );
}
