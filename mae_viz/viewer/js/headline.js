// One sentence on a picture at one λ, from the files of two codecs: what the second pays or saves where it is as good
// as the first, and what over all rates. All of it is computed, its signs too. Between files a curve is a straight line
// of log bytes over dB.
import { bytesText } from "./numbers.js";

export const MEASURES = { psnr_db: "PSNR", ms_ssim_db: "MS-SSIM" };
const EQUAL = 0.005; // shares nearer to 0 than this are called the same

/** A curve for `bytesAt`: the files that have a finite value of a measure, by rising value. */
export function curveOf(frames, measure) {
  return frames.filter((f) => f.bytes && Number.isFinite(f[measure])).sort((a, b) => a[measure] - b[measure]);
}

/** Bytes at which a curve reaches a value of the measure; null beyond its ends. */
export function bytesAt(curve, measure, value) {
  const above = curve.findIndex((f) => f[measure] >= value);
  if (above < 0 || (above === 0 && curve[0][measure] > value)) return null;
  const b = curve[above];
  if (b[measure] === value) return b.bytes;
  const a = curve[above - 1];
  const t = (value - a[measure]) / (b[measure] - a[measure]);
  return a.bytes * (b.bytes / a.bytes) ** t;
}

/** What `rival` needs to be as good as a file: {bytes, share} with share +0.18 for 18 % more; {poorer: true} where it
 *  never gets so good, {least, share} where its smallest file is better still; null without numbers. */
export function price(file, rival, measure) {
  const curve = curveOf(rival, measure);
  const value = file[measure];
  if (!curve.length || !Number.isFinite(value)) return null;
  const bytes = bytesAt(curve, measure, value);
  if (bytes !== null) return { bytes, share: bytes / file.bytes - 1 };
  if (value > curve.at(-1)[measure]) return { poorer: true };
  return { least: curve[0].bytes, share: curve[0].bytes / file.bytes - 1 };
}

/** The rate of `grid` whose file is to be measured next before `price` is final: null where those two neighbours are
 *  here between which the value lies, or the end that it lies beyond. `frames`: of one codec, better from rate to rate
 *  (where they are not, all of them count). */
export function toMeasure(grid, frames, measure, value) {
  if (!Number.isFinite(value)) return null;
  let [low, high] = [-1, grid.length]; // the last that is worse, the first that is not
  const of = (i) => {
    const found = frames.find((f) => f.at === grid[i])?.[measure];
    return found === "inf" ? Infinity : found;
  };
  for (const i of grid.keys()) {
    if (of(i) < value) low = i;
    else if (of(i) >= value) high = Math.min(high, i);
  }
  if (low > high) return grid.find((_, i) => of(i) === undefined) ?? null; // not better from rate to rate: all count
  if (high - low < 2) return null;
  const leap = 2 ** (frames.length - 1); // farther each time: most often the first neighbour is the one
  if (low < 0 && high === grid.length) return grid[high >> 1];
  if (low < 0) return grid[Math.max(0, high - leap)];
  if (high === grid.length) return grid[Math.min(high - 1, low + leap)];
  const share = (value - of(low)) / (of(high) - of(low));
  return grid[Math.min(high - 1, Math.max(low + 1, Math.round(low + share * (high - low))))];
}

/** Where `rival` pays and where it saves at an equal measure, by rising rate of the first codec: [{pays, from, to,
 *  count, most}], `from` and `to` in bits per pixel, `count` files of the first, `most` the largest share among them.
 *  Only where both can be compared. */
export function stretches(first, rival, measure) {
  const curve = curveOf(rival, measure);
  const out = [];
  let before = null;
  for (const file of curveOf(first, measure)) {
    const bytes = bytesAt(curve, measure, file[measure]);
    if (bytes === null) continue;
    const now = { bpp: file.bpp, lead: Math.log(bytes / file.bytes), share: Math.abs(bytes / file.bytes - 1) };
    const pays = now.lead >= 0;
    const open = out.at(-1);
    if (open?.pays === pays)
      Object.assign(open, { to: now.bpp, count: open.count + 1, most: Math.max(open.most, now.share) });
    else {
      const from = open ? before.bpp * (now.bpp / before.bpp) ** (before.lead / (before.lead - now.lead)) : now.bpp;
      if (open) open.to = from;
      out.push({ pays, from, to: now.bpp, count: 1, most: now.share });
    }
    before = now;
  }
  return out;
}

const percent = (share) => `${(100 * Math.abs(share)).toFixed(Math.abs(share) < 0.0995 ? 1 : 0)}\u202f%`;

/** The clauses on each measure, those with one verb together. */
function clauses(prices) {
  const parts = [];
  const [beyond] = Object.values(prices).filter((found) => found?.least !== undefined);
  const better = Object.keys(prices).filter((measure) => prices[measure]?.least !== undefined);
  if (beyond)
    parts.push(
      `cannot go this low in ${better.map((m) => MEASURES[m]).join(" and ")}: its smallest file has ` +
        `${bytesText(beyond.least)}\u202fbytes (${signed(beyond.share)})`,
    );
  for (const [measure, found] of Object.entries(prices)) {
    const name = MEASURES[measure];
    if (!found || better.includes(measure)) continue;
    if (found.poorer) parts.push(`never reaches this ${name}`);
    else if (Math.abs(found.share) < EQUAL) parts.push(`needs the same bytes for the same ${name}`);
    else {
      const [verb, size] = found.share > 0 ? ["pays", `${percent(found.share)} more`] : ["saves", percent(found.share)];
      const what = `${size} for the same ${name} (${bytesText(Math.round(found.bytes))}\u202fbytes)`;
      const last = parts.at(-1);
      parts.push(last?.startsWith(`${verb} `) ? what : `${verb} ${what}`);
    }
  }
  return parts.join(" and ");
}

const signed = (share) => `${share < 0 ? "−" : "+"}${percent(share)}`;

/** The sentence. `first` and `rival`: {title, frames}; `file`: the frame of the first on show; `rate`: its rate in
 *  words. Null where no measure can be compared yet. */
export function headline(first, rival, file, rate) {
  const prices = Object.fromEntries(Object.keys(MEASURES).map((m) => [m, price(file, rival.frames, m)]));
  const said = clauses(prices);
  if (!said) return null;
  return { text: `${first.title} at ${rate}: ${bytesText(file.bytes)}\u202fbytes. ${rival.title} ${said}.`, prices };
}

/** What the rival pays and saves over all rates, in words: one sentence for each measure. */
export function balance(first, rival) {
  const said = Object.entries(MEASURES).map(([measure, name]) => {
    const found = stretches(first.frames, rival.frames, measure);
    if (!found.length) return null;
    const verb = ({ pays }) => (pays ? "pays" : "saves");
    const size = ({ pays, most }) => `up to ${percent(most)}${pays ? " more" : ""}`;
    const [one, two] = found;
    if (!two) return `${name}: ${rival.short} ${verb(one)} at every rate compared, ${size(one)}.`;
    if (found.length === 2) {
      const limit = one.to.toFixed(2);
      const [low, high] = found.map((part) => `${verb(part)} ${size(part)}`);
      return `${name}: ${rival.short} ${low} below ${limit}\u202fbpp and ${high} above.`;
    }
    const [pays, saves] = [true, false].map((is) => {
      const parts = found.filter((part) => part.pays === is);
      const count = parts.reduce((sum, part) => sum + part.count, 0);
      const most = Math.max(...parts.map((part) => part.most));
      return `at ${count} rate${count > 1 ? "s" : ""}, ${size({ pays: is, most })}`;
    });
    return `${name}: ${rival.short} pays ${pays}, and saves ${saves}.`;
  });
  return said.filter(Boolean).join("\n");
}
