// Large pictures go through the transforms in tiles with a halo as wide as what a value depends on, so that memory
// stays bounded and no seam shows: as in mae_viz/coding/coder.py, but in smaller tiles.

/** Cancelled work ends with the signal's reason. Between two tiles this lets messages in that cancel it. */
async function breath(signal) {
  if (signal) await new Promise((done) => setTimeout(done));
  signal?.throwIfAborted();
}

/**
 * Every tile of a field of `height` × `width` places: `transform(cut)` is awaited for the rectangle {top, left, bottom,
 * right} with its halo, and `put(values, cut, inner)` gets what it gives, with the rectangle that belongs to the tile.
 * At the border there is no halo, so that the layers pad there as they would for the whole. `tile`: places of a side at
 * most, of all tiles about as many; `unit`: whole multiples of it; `halo`: places.
 */
export async function overTiles({ height, width, tile, unit, halo }, transform, put, { progress, signal } = {}) {
  const down = Math.ceil(height / tile);
  const across = Math.ceil(width / tile);
  const even = (side, count) => Math.ceil(side / count / unit) * unit;
  const [rows, columns] = [even(height, down), even(width, across)];
  for (let number = 0; number < down * across; number++) {
    await breath(signal);
    const top = Math.floor(number / across) * rows;
    const left = (number % across) * columns;
    const inner = { top, left, bottom: Math.min(top + rows, height), right: Math.min(left + columns, width) };
    const cut = {
      top: Math.max(top - halo, 0),
      left: Math.max(left - halo, 0),
      bottom: Math.min(inner.bottom + halo, height),
      right: Math.min(inner.right + halo, width),
    };
    put(await transform(cut), cut, inner);
    progress?.((number + 1) / (down * across));
  }
}

/** The rectangle `cut` of interleaved 8-bit pixels as planes of [0, 1], Float32Array (3, rows, columns). Beyond the
 *  picture its last row and column go on. `channels`: bytes of a pixel, of which the first three count. */
export function cutPixels({ pixels, width, height, channels }, { top, left, bottom, right }) {
  const rows = bottom - top;
  const columns = right - left;
  const out = new Float32Array(3 * rows * columns);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const from = (Math.min(top + y, height - 1) * width + Math.min(left + x, width - 1)) * channels;
      for (let c = 0; c < 3; c++) out[(c * rows + y) * columns + x] = pixels[from + c] / 255;
    }
  return out;
}

/** The rectangle `cut` of planes (C, height, width) of any numbers, Float32Array (C, rows, columns). */
export function cutPlanes(planes, height, width, { top, left, bottom, right }) {
  const channels = planes.length / (height * width);
  const columns = right - left;
  const out = new Float32Array(channels * (bottom - top) * columns);
  let to = 0;
  for (let c = 0; c < channels; c++)
    for (let y = top; y < bottom; y++, to += columns) {
      const from = (c * height + y) * width + left;
      out.set(planes.subarray(from, from + columns), to);
    }
  return out;
}

/** Put the part `inner` of planes that cover `cut` into those of the whole, `out` (C, height, width). */
export function putPlanes(out, height, width, planes, cut, inner) {
  const channels = out.length / (height * width);
  const rows = cut.bottom - cut.top;
  const columns = cut.right - cut.left;
  for (let c = 0; c < channels; c++)
    for (let y = inner.top; y < inner.bottom; y++) {
      const from = (c * rows + y - cut.top) * columns - cut.left;
      out.set(planes.subarray(from + inner.left, from + inner.right), (c * height + y) * width + inner.left);
    }
}

/** Put the part `inner` of colour planes in [0, 1] into a picture's RGBA, as far as it reaches: clipped and rounded. */
export function putPixels({ pixels, width, height }, planes, cut, inner) {
  const rows = cut.bottom - cut.top;
  const columns = cut.right - cut.left;
  const right = Math.min(inner.right, width);
  for (let y = inner.top; y < Math.min(inner.bottom, height); y++)
    for (let x = inner.left; x < right; x++) {
      const to = 4 * (y * width + x);
      const from = (y - cut.top) * columns + x - cut.left;
      // a Uint8ClampedArray clips, and rounds ties to the even number as torch does
      for (let c = 0; c < 3; c++) pixels[to + c] = Math.fround(planes[c * rows * columns + from] * 255);
      pixels[to + 3] = 255;
    }
}
