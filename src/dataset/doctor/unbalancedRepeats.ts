/** Folders that are seen much more often than others. */
import { folderOf } from "../pathIndex";
import type { Check, Patient } from "./types";

/** Views of one folder ÷ views of another that are worth a word. */
const tolerated = 3;

export const unbalancedRepeats: Check = ({ patients }) => {
  const folders = new Map<string, Patient[]>();
  for (const patient of patients) {
    const folder = folderOf(patient.name);
    const group = folders.get(folder);
    if (group) group.push(patient);
    else folders.set(folder, [patient]);
  }
  if (folders.size < 2) return undefined;
  const groups = [...folders].map(([folder, members]) => ({
    folder,
    members,
    views: members.reduce((sum, { repeats }) => sum + repeats, 0),
  }));
  groups.sort((a, b) => b.views - a.views);
  const [most, least] = [groups[0], groups.at(-1)];
  if (!most || !least || most.views <= tolerated * least.views) return undefined;
  // As Kohya's balancing tool: every folder as often as the largest is with one repeat.
  const target = Math.max(...groups.map(({ members }) => members.length));
  const treatments = groups.flatMap(({ members }) => {
    const repeats = Math.max(1, Math.round(target / members.length));
    return members.filter((one) => one.repeats !== repeats).map(({ id }) => ({ id, repeats }));
  });
  return {
    kind: "unbalanced-repeats",
    severity: "warning",
    title: `"${most.folder || "Loose files"}" is seen ${Math.round(most.views / least.views)} times as often as "${least.folder || "loose files"}"`,
    why: `Per epoch ${most.views} views against ${least.views}. What is seen most wins; repeats are there to even out folders of different sizes.`,
    pictures: least.members.map(({ id, repeats }) => ({ id, detail: `${repeats} × per epoch` })),
    ...(treatments.length > 0 ? { fix: { label: "Even out the repeats", treatments } } : {}),
  };
};
