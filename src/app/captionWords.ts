/** What components show of captioning: records and words of `src/captioning`. */
export { listIds, listOfFile, listTitles, type ListId } from "../captioning/interrogator/lists";
export { captionerIds, captionerMeta, type CaptionerId } from "../captioning/menu";
export { existingRules, leaveOuts, type ExistingRule, type LearnedThing } from "../captioning/presets";
