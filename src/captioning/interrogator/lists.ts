/** CLIP Interrogator's phrase tables: how they are made from lists, and how lists are read from people's files. */

/** The tables in the order in which they are merged for ranking; `negative` is used by its own mode only. */
export const tableIds = ["artists", "flavors", "mediums", "movements", "trendings"] as const;
export type TableId = (typeof tableIds)[number];

/** The lists a person can edit: tables are made of these. */
export const listIds = ["artists", "flavors", "mediums", "movements", "sites", "negative"] as const;
export type ListId = (typeof listIds)[number];

export const listTitles: Record<ListId, string> = {
  artists: "Artists",
  flavors: "Flavors",
  mediums: "Mediums",
  movements: "Movements",
  sites: "Sites (for “trending on …”)",
  negative: "Negative",
};

/** Names become "by …" and "inspired by …", in two blocks. */
export function artistPhrases(names: readonly string[]): string[] {
  return [...names.map((name) => `by ${name}`), ...names.map((name) => `inspired by ${name}`)];
}

/** Four blocks: the site, "trending on …", "featured on …", "… contest winner". */
export function trendingPhrases(sites: readonly string[]): string[] {
  return [
    ...sites,
    ...sites.map((site) => `trending on ${site}`),
    ...sites.map((site) => `featured on ${site}`),
    ...sites.map((site) => `${site} contest winner`),
  ];
}

/** The phrases of a table, made from the lists. */
export function tablePhrases(table: TableId, list: (id: ListId) => readonly string[]): readonly string[] {
  if (table === "artists") return artistPhrases(list("artists"));
  if (table === "trendings") return trendingPhrases(list("sites"));
  return list(table);
}

/** The list a file of CLIP Interrogator's data folder is, by its name (`flavors.txt`, `negative.txt` …). */
export function listOfFile(name: string): ListId | undefined {
  const stem = name
    .toLowerCase()
    .replace(/^.*[/\\]/, "")
    .replace(/\.[^.]*$/, "")
    .replace(/\.top\d+$/, "");
  const aliases: Record<string, ListId> = {
    trending: "sites",
    trendings: "sites",
    medium: "mediums",
    flavor: "flavors",
  };
  return listIds.find((id) => id === stem || id === `${stem}s`) ?? aliases[stem];
}
