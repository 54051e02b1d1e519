/** Where the person is: `#/train/<run id>` and the like, so that links and the back button work. */

export const rooms = ["model", "dataset", "train", "try", "share"] as const;
export type Room = (typeof rooms)[number];

/** What people read. */
export const roomTitles: Readonly<Record<Room, string>> = {
  model: "Model",
  dataset: "Dataset",
  train: "Train",
  try: "Try",
  share: "Share",
};

function isRoom(word: string): word is Room {
  return (rooms as readonly string[]).includes(word);
}

export class Router {
  room = $state<Room>("model");
  /** What the room shows: a run's id in Train, a LoRA's in Share. */
  detail = $state("");

  /** Follows the address from now on. */
  start(): void {
    addEventListener("hashchange", () => {
      this.#read();
      scrollTo(0, 0);
    });
    this.#read();
  }

  go(room: Room, detail = ""): void {
    location.hash = hrefOf(room, detail);
  }

  #read(): void {
    const [room = "", detail = ""] = location.hash.replace(/^#\/?/, "").split("/");
    this.room = isRoom(room) ? room : "model";
    this.detail = decode(detail);
  }
}

/** The link to a room, for `<a href>`. */
export function hrefOf(room: Room, detail = ""): string {
  return detail ? `#/${room}/${encodeURIComponent(detail)}` : `#/${room}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
