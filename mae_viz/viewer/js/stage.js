// Painting: what one canvas shows.
import { colours, HATCH } from "./colour.js";

/** Paints what a pane shows. `spot`: scale and offset, of `View.place`; `shown`: {kind, bitmap | plane, values, …}, of
 *  `Pane.compose`; `options`: {background, dragging}. */
export function paint(context, spot, picture, shown, options) {
  const { canvas } = context;
  const { left, top, scale } = spot;
  const width = picture.width * scale;
  const height = picture.height * scale;
  context.setTransform(1, 0, 0, 1, 0, 0);
  if (left > 0 || top > 0 || left + width < canvas.width || top + height < canvas.height || !shown) {
    context.fillStyle = options.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  if (!shown) return;
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = options.dragging ? "low" : "high";
  if (shown.bitmap) return drawPicture(context, shown.bitmap, left, top, scale, options.dragging);
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  if (shown.kind === "ratio") {
    context.fillStyle = hatching(context);
    context.fillRect(left, top, width, height);
  }
  const cell = shown.stride * scale;
  context.imageSmoothingEnabled = false;
  context.drawImage(shown.plane, left, top, shown.columns * cell, shown.rows * cell);
  if (shown.kind === "ratio" && cell >= 7) markNegative(context, shown, left, top, cell);
  context.restore();
}

let enlarged = null;
/** A picture's pixels as squares. Where their side is no whole number of the canvas's pixels, they are drawn larger by
 *  the next whole factor first and then brought to size: edges stay sharp and squares equal. Not while λ moves, which
 *  leaves no time for it. */
function drawPicture(context, bitmap, left, top, scale, moving) {
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const factor = Math.ceil(scale - 1e-6);
  if (moving || scale <= 1 || factor - scale < 1e-6) return context.drawImage(bitmap, left, top, width, height);
  enlarged ??= { canvas: new OffscreenCanvas(1, 1), of: null };
  const { canvas } = enlarged;
  if (enlarged.of !== bitmap || enlarged.factor !== factor) {
    Object.assign(canvas, { width: bitmap.width * factor, height: bitmap.height * factor });
    const large = canvas.getContext("2d", { alpha: false });
    large.imageSmoothingEnabled = false;
    large.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    Object.assign(enlarged, { of: bitmap, factor });
  }
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "low";
  context.drawImage(canvas, left, top, width, height);
}

/** A dash in every place with a negative ratio: hue alone would not tell. */
function markNegative(context, { values, columns }, left, top, cell) {
  context.fillStyle = "#fff";
  const thick = Math.max(1, Math.round(cell / 10));
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] < 0)) continue;
    const x = left + (i % columns) * cell;
    const y = top + Math.floor(i / columns) * cell;
    context.fillRect(Math.round(x + 0.3 * cell), Math.round(y + 0.5 * cell - thick / 2), Math.round(0.4 * cell), thick);
  }
}

let hatchTile = null;
function hatching(context) {
  if (!hatchTile) {
    hatchTile = new OffscreenCanvas(8, 8);
    const c = hatchTile.getContext("2d");
    c.fillStyle = HATCH[0];
    c.fillRect(0, 0, 8, 8);
    c.strokeStyle = HATCH[1];
    c.lineWidth = 1.5;
    for (const shift of [-8, 0, 8]) {
      c.moveTo(shift, 8);
      c.lineTo(shift + 8, 0);
    }
    c.stroke();
  }
  return context.createPattern(hatchTile, "repeat");
}

/** A float plane on a small canvas, one pixel a place. */
export function drawPlane(canvas, kind, values, top, columns, rows) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const pixels = colours(kind, values, top);
  const image = new ImageData(new Uint8ClampedArray(pixels.buffer), columns, rows);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** |a − b| · gain on `canvas`, clipped at 255: blending in 8-bit integers and doubling are exact. */
export function difference(canvas, a, b, gain) {
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "copy";
  context.drawImage(a, 0, 0);
  context.globalCompositeOperation = "difference";
  context.drawImage(b, 0, 0);
  context.globalCompositeOperation = "lighter";
  for (let g = 1; g < gain; g *= 2) context.drawImage(canvas, 0, 0);
}

let probe = null;
/** The RGB of one pixel of a bitmap, exactly. */
export function pixelOf(bitmap, x, y) {
  probe ??= new OffscreenCanvas(1, 1);
  const context = probe.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, x, y, 1, 1, 0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
