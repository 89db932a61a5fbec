// What can be saved: the view as PNG, the numbers as CSV.

/** One canvas with all of them side by side, each with its title above and its numbers below. */
function sheet(tiles, style) {
  const ratio = globalThis.devicePixelRatio || 1;
  const pad = Math.round(12 * ratio);
  const line = Math.round(20 * ratio);
  const columns = tiles.length > 2 ? Math.ceil(tiles.length / 2) : tiles.length;
  const width = Math.max(...tiles.map((t) => t.canvas.width));
  const height = Math.max(...tiles.map((t) => t.canvas.height));
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
    const x = pad + (i % columns) * cell[0];
    const y = pad + Math.floor(i / columns) * cell[1];
    c.font = `600 ${Math.round(14 * ratio)}px ${style.font}`;
    c.fillText(tile.title, x, y + line / 2, width);
    c.drawImage(tile.canvas, x, y + line);
    c.font = `${Math.round(13 * ratio)}px ${style.font}`;
    c.fillText(tile.numbers, x, y + line + tile.canvas.height + line / 2 + 2 * ratio, width);
  });
  return out;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** tiles: [{canvas, title, numbers}]; style: {background, text, font} of what is around them. */
export function savePng(tiles, style, name) {
  sheet(tiles, style).toBlob((blob) => save(blob, `${name}.png`), "image/png");
}

export function saveCsv(text, name) {
  save(new Blob(["\ufeff", text], { type: "text/csv" }), `${name}.csv`);
}
