// Numbers as text, and what can be saved: the view as PNG, the numbers as CSV.

const group = new Intl.NumberFormat("en", { useGrouping: true });

export const lambdaText = (lmbda) => (Number.isInteger(lmbda) ? `${lmbda}` : lmbda >= 1000 ? lmbda.toFixed(0) : lmbda.toFixed(1));
export const decibels = (v) => (v === null || v === undefined ? "n/a" : v === "inf" ? "∞" : `${v.toFixed(2)} dB`);
export const bytesText = (n) => (n === undefined ? "–" : group.format(n));

/** The rate of a frame in words: "λ 512", "quality 40", or "" for the original. */
export function rateText(codec, frame) {
  if (codec.axis === "none" || !frame) return "";
  return codec.axis === "lmbda" ? `λ ${lambdaText(frame.lmbda)}` : `${codec.unit} ${frame.at}`;
}

/** Every frame of every codec on show, one row each, the ones on the screen marked. */
export function csv(manifest, panes) {
  const head = ["picture", "codec", "axis", "rate", "shown", "bytes", "bpp", "estimated_bpp", "psnr_db", "ms_ssim_db", "model"];
  const rows = [];
  const seen = new Set();
  for (const { codec, ladder } of panes) {
    if (seen.has(codec.id)) continue;
    seen.add(codec.id);
    const shown = new Set(panes.filter((p) => p.codec.id === codec.id).map((p) => p.frame?.at));
    for (const f of [...ladder.frames].sort((a, b) => a.at - b.at)) {
      const rate = codec.axis === "lmbda" ? f.lmbda : codec.axis === "none" ? "" : f.at;
      rows.push([manifest.title, codec.title, codec.axis, rate, shown.has(f.at) ? "yes" : "", f.bytes, f.bpp, f.estimated_bpp, f.psnr_db, f.ms_ssim_db, codec.about]);
    }
  }
  const cell = (v) => {
    const text = v === null || v === undefined ? "" : String(v);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** One canvas with all of them side by side, each with its title above and its numbers below. */
export function sheet(tiles, style) {
  const ratio = globalThis.devicePixelRatio || 1, pad = Math.round(12 * ratio), line = Math.round(20 * ratio);
  const columns = tiles.length > 2 ? Math.ceil(tiles.length / 2) : tiles.length;
  const width = Math.max(...tiles.map((t) => t.canvas.width)), height = Math.max(...tiles.map((t) => t.canvas.height));
  const cell = [width + pad, height + pad + 3 * line];
  const out = document.createElement("canvas");
  out.width = columns * cell[0] + pad;
  out.height = Math.ceil(tiles.length / columns) * cell[1] + pad;
  const c = out.getContext("2d");
  c.fillStyle = style.background;
  c.fillRect(0, 0, out.width, out.height);
  c.fillStyle = style.text;
  c.textBaseline = "middle";
  tiles.forEach((tile, i) => {
    const x = pad + (i % columns) * cell[0], y = pad + Math.floor(i / columns) * cell[1];
    c.font = `600 ${Math.round(14 * ratio)}px ${style.font}`;
    c.fillText(tile.title, x, y + line / 2, width);
    c.drawImage(tile.canvas, x, y + line);
    c.font = `${Math.round(13 * ratio)}px ${style.font}`;
    c.fillText(tile.numbers, x, y + line + tile.canvas.height + line / 2 + 2 * ratio, width);
  });
  return out;
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const fileName = (viewer) => `${viewer.manifest.title}-lambda-${lambdaText(viewer.lmbdaAt(viewer.index))}`.replace(/[^\p{L}\p{N}.-]+/gu, "-");

/** The view as it stands: every pane with its title and its numbers. */
export function savePng(viewer) {
  const style = getComputedStyle(viewer.element);
  const look = { background: getComputedStyle(viewer.controls.help).backgroundColor, text: style.color, font: style.fontFamily };
  const tiles = viewer.mode === "side"
    ? viewer.panes.map((p) => ({ canvas: p.canvas, title: p.title, numbers: p.summary }))
    : [{ canvas: viewer.sharedCanvas, title: viewer.pair.map((p) => p.title).join(" | "), numbers: viewer.pair.map((p) => p.summary).join("   |   ") }];
  sheet(tiles, look).toBlob((blob) => save(blob, `${fileName(viewer)}.png`), "image/png");
}

export function saveCsv(viewer) {
  const panes = viewer.panes.map((p) => ({ codec: p.codec, ladder: p.ladder, frame: p.frame }));
  save(new Blob(["\ufeff", csv(viewer.manifest, panes)], { type: "text/csv" }), `${fileName(viewer)}.csv`);
}
