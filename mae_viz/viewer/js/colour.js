// Colour maps for float planes. Lightness rises steadily in the sequential one and falls from the middle to both
// ends in the diverging one, so that both read without colour vision too. Their stops, and the greys of the hatching
// where there is no value, are shared with Python.
import maps from "../colour_maps.json" with { type: "json" };
import { short } from "./numbers.js";

const OCTAVES = maps.octaves; // how far a ratio's colours reach from its mean, to either side
/** The two greys where there is no value. */
export const HATCH = maps.hatch;

const table = (stops) => {
  const rgb = stops.map((s) => [1, 3, 5].map((i) => parseInt(s.slice(i, i + 2), 16)));
  const out = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const t = (i / 255) * (rgb.length - 1);
    const k = Math.min(Math.floor(t), rgb.length - 2);
    const f = t - k;
    const [r, g, b] = rgb[k].map((c, j) => Math.round(c + f * (rgb[k + 1][j] - c)));
    out[i] = (255 << 24) | (b << 16) | (g << 8) | r; // bytes RGBA, little-endian
  }
  return out;
};
const TABLES = Object.fromEntries(["sequential", "diverging", "negative"].map((name) => [name, table(maps[name])]));
const level = (t) => (t <= 0 ? 0 : t >= 1 ? 255 : Math.round(t * 255));
const gradient = (stops) => `linear-gradient(to right, ${stops.join(", ")})`;

/** Least and largest value of a plane. */
export function range(plane) {
  let low = Infinity;
  let high = -Infinity;
  for (const v of plane) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}

/** r = a / b where |b| is at least `share` of its largest, NaN elsewhere; with the numbers printed beside it. */
export function ratioOf(a, b, share) {
  let largest = 0;
  for (const v of b) largest = Math.max(largest, Math.abs(v));
  const values = new Float64Array(a.length).fill(NaN);
  let kept = 0;
  let weight = 0;
  let mean = 0;
  let spread = 0;
  let negative = 0;
  for (let i = 0; i < a.length; i++) {
    if (!largest || Math.abs(b[i]) < share * largest) continue;
    const r = a[i] / b[i];
    const w = b[i] * b[i];
    values[i] = r;
    kept++;
    if (r < 0) negative++;
    weight += w;
    mean += w * r;
  }
  mean /= weight;
  for (let i = 0; i < a.length; i++) if (!Number.isNaN(values[i])) spread += b[i] * b[i] * (values[i] - mean) ** 2;
  const constancy = mean ? Math.sqrt(spread / weight) / Math.abs(mean) : Infinity;
  return { values, masked: 1 - kept / a.length, negative: kept ? negative / kept : 0, mean, constancy };
}

/** Colours of a plane as RGBA words; `kind` is "bits" (0 … top), "y" and "moved" (−top … top) or "ratio" (about its
 *  mean). */
export function colours(kind, values, top) {
  const out = new Uint32Array(values.length);
  const { sequential, diverging, negative } = TABLES;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (kind === "bits") out[i] = sequential[level(v / top)];
    else if (kind === "y" || kind === "moved") out[i] = diverging[level(0.5 + v / (2 * top))];
    else if (Number.isNaN(v))
      out[i] = 0; // transparent: the hatching shows through
    else {
      const t = 0.5 + Math.log2(Math.abs(v) / Math.abs(top)) / (2 * OCTAVES);
      out[i] = (v < 0 ? negative : diverging)[level(t)];
    }
  }
  return out;
}

/** What the colours mean: CSS background and the labels at its left end, middle and right end. */
export function scale(kind, top) {
  if (kind === "bits") return { css: gradient(maps.sequential), labels: ["0", "", `${short(top)}\u202fbits`] };
  if (kind === "y") return { css: gradient(maps.diverging), labels: [short(-top), "0", short(top)] };
  if (kind === "moved")
    return { css: gradient(maps.diverging), labels: [`${short(-top)}\u202fbits`, "0", `+${short(top)}\u202fbits`] };
  const end = 2 ** OCTAVES;
  return {
    css: gradient(maps.diverging),
    labels: [short(top / end), `mean ${short(top)}`, short(top * end)],
    second: gradient(maps.negative),
  };
}
