// The drawings Mini learns from: concepts that five emoji sets share, rendered to 128 px RGBA.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import sharp from "sharp";

export const SIZE = 128;

/** Style word in captions → npm package that holds the artist's set. */
export const STYLES = {
  twemoji: "twemoji",
  noto: "noto",
  modern: "fluent-emoji-flat",
  retro: "emojione",
  glossy: "fluent-emoji",
};

// Signs, letters and pictograms are no drawable things: a caption cannot describe them.
const SIGNS =
  /button|oclock|thirty|keycap|arrow|square|circle$|diamond|suit$|japanese|input-|symbol|zodiac|no-|non-|mark|registered|copyright|trade/;
const SIGN_FAMILIES =
  /^(dotted|eight-|part-|shuffle|hollow|person-|fleur|red-triangle|recycling|exclamation|linked|selfie|womans-)/;
const CULTURE_BOUND = /^(mahjong|flower-playing|moon-viewing|tanabata|pine-dec|carp|statue|shinto)/;
const UNWANTED = new Set(
  `plus minus divide multiply aries taurus gemini cancer leo virgo libra scorpio sagittarius capricorn aquarius
  pisces ophiuchus om restroom zzz atm-sign information wavy-dash curly-loop double-curly-loop cross
  children-crossing passport-control customs baggage-claim left-luggage metro mens-room womens-room water-closet
  potable-water litter-in-bin-sign prohibited radioactive biohazard kaaba love-hotel middle-finger
  bikini cigarette pregnant-woman place-of-worship sparkle vibration-mode mobile-phone-off antenna-bars cinema
  link label hundred-points currency-exchange radio-button latin-cross orthodox-cross star-of-david
  star-and-crescent menorah wheel-of-dharma yin-yang circled-m heavy-dollar-sign level-slider control-knobs
  custard moai map-of-japan tokyo-tower mrs-claus`.split(/\s+/),
);

const drawable = (name) =>
  !SIGNS.test(name) && !SIGN_FAMILIES.test(name) && !CULTURE_BOUND.test(name) && !UNWANTED.has(name);

const require = createRequire(import.meta.url);

function loadSet(packageName) {
  const set = JSON.parse(readFileSync(require.resolve(`@iconify-json/${packageName}/icons.json`), "utf8"));
  const names = new Set([...Object.keys(set.icons), ...Object.keys(set.aliases ?? {})]);
  return { ...set, names };
}

/** All sets by style word, and the concept names that every one of them draws. */
export function loadSets() {
  const sets = Object.fromEntries(Object.entries(STYLES).map(([style, name]) => [style, loadSet(name)]));
  const all = Object.values(sets);
  const names = [...all[0].names].filter((name) => all.every((set) => set.names.has(name)));
  return { sets, names: names.filter(drawable) };
}

function svgOf(set, name, size) {
  const icon = set.icons[name] ?? set.icons[set.aliases[name].parent];
  const box = [icon.left ?? 0, icon.top ?? 0, icon.width ?? set.width ?? 16, icon.height ?? set.height ?? 16];
  const namespaces = `xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"`;
  return `<svg ${namespaces} width="${size}" height="${size}" viewBox="${box.join(" ")}">${icon.body}</svg>`;
}

/** One drawing as a sharp pipeline, size × size RGBA. */
export function render(set, name, size = SIZE) {
  return sharp(Buffer.from(svgOf(set, name, size)), { density: 72 })
    .resize(size, size, { fit: "fill" })
    .ensureAlpha();
}
