// Numbers as text: beside the pictures, and as CSV. Between thousands, and before a unit, is a narrow space that no
// line is broken at.

const group = new Intl.NumberFormat("en", { useGrouping: true });

export const lambdaText = (lmbda) =>
  Number.isInteger(lmbda) ? `${lmbda}` : lmbda >= 1000 ? lmbda.toFixed(0) : lmbda.toFixed(1);
export const decibels = (v) => (v === undefined ? "n/a" : v === "inf" ? "∞" : `${v.toFixed(2)}\u202fdB`);
export const score = (v) => (v === null ? "n/a" : v.toFixed(1).replace("-", "−"));
export const bytesText = (n) => (n === undefined ? "–" : group.format(n).replaceAll(",", "\u202f"));

/** A number in three digits, with a true minus sign; a very small or large one as a power of ten. */
export function short(v) {
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "n/a";
  const size = Math.abs(v);
  if ((size && size < 1e-4) || size >= 1e6) {
    const [digits, power] = v.toExponential(1).split("e");
    const raised = [...power].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
    return `${digits.replace("-", "−")}·10${raised.join("")}`;
  }
  const text =
    size >= 100
      ? bytesText(Math.round(v))
      : size >= 10
        ? v.toFixed(1)
        : size >= 0.1 || !size
          ? v.toFixed(2)
          : v.toPrecision(2);
  return text.replace("-", "−");
}

/** A share in percent, "n/a" where there is none. */
export function percent(share) {
  if (!Number.isFinite(share)) return "n/a";
  if (share > 0 && share < 1e-3) return "under 0.1\u202f%";
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)}\u202f%`;
}

/** The rate of a frame in words: "λ 512", "quality 40", or "" for the original. */
export function rateText(codec, frame) {
  if (codec.axis === "none" || !frame) return "";
  return codec.axis === "lmbda" ? `λ ${lambdaText(frame.lmbda)}` : `${codec.unit} ${frame.at}`;
}

const COLUMNS = ["bytes", "bpp", "estimated_bpp", "psnr_db", "ms_ssim_db"];

/**
 * Every frame of every codec on show, one row each, the ones on the screen marked. panes: [{codec, ladder, frame}];
 * further: names of other metrics that frames have.
 */
export function csv(picture, panes, further = []) {
  const rows = [["picture", "codec", "axis", "rate", "shown", ...COLUMNS, ...further, "model"]];
  for (const [codec, ladder] of new Map(panes.map((p) => [p.codec, p.ladder]))) {
    const shown = new Set(panes.filter((p) => p.codec === codec).map((p) => p.frame?.at));
    for (const f of [...ladder.frames].sort((a, b) => a.at - b.at)) {
      const rate = codec.axis === "lmbda" ? f.lmbda : codec.axis === "none" ? "" : f.at;
      const numbers = [...COLUMNS.map((name) => f[name]), ...further.map((name) => f.further?.[name])];
      rows.push([picture, codec.title, codec.axis, rate, shown.has(f.at) ? "yes" : "", ...numbers, codec.about]);
    }
  }
  const cell = (v) => {
    const text = String(v ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
