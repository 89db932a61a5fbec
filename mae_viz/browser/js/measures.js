// PSNR and MS-SSIM of 8-bit RGB, as mae_viz/metrics.py defines them (MS-SSIM after Wang et al. 2003, five scales, as in
// pytorch_msssim). Pixels are RGBA, alpha ignored.

const WINDOW = 11;
const SIGMA = 1.5;
const SMALLEST = 161; // pixels a side: five scales of the window
const STRIP = 64; // rows
const WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
const [C1, C2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
const [K0, K1, K2, K3, K4, K5] = (() => {
  const g = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - (WINDOW >> 1)) ** 2) / (2 * SIGMA ** 2)));
  const sum = g.reduce((a, b) => a + b);
  return g.map((v) => v / sum); // symmetric
})();

/** Peak signal-to-noise ratio in dB; "inf" for equal pictures, as frames write it. */
export function psnrDb(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 4)
    sum += (a[i] - b[i]) ** 2 + (a[i + 1] - b[i + 1]) ** 2 + (a[i + 2] - b[i + 2]) ** 2;
  const mse = sum / ((3 * a.length) / 4);
  return mse ? 10 * Math.log10(255 ** 2 / mse) : "inf";
}

/** What MS-SSIM needs of an original, made once for all that is compared with it: of every channel and scale the plane,
 *  its local means, and those of its squares. Null under 161 pixels a side. */
export function pyramid(pixels, width, height) {
  if (Math.min(width, height) < SMALLEST) return null;
  return [0, 1, 2].map((c) => scalesOf(pixels, c, width, height));
}

/** −10 log₁₀(1 − MS-SSIM) in dB of a picture; undefined where there is no pyramid of the original. */
export function msSsimDb(original, pixels) {
  return original ? toDb((c) => ofChannel(original[c], plane(pixels, c))) : undefined;
}

/** The same of a large picture that is compared once: in strips, which take little memory. */
export function msSsimDbOnce(a, b, width, height) {
  if (Math.min(width, height) < SMALLEST) return undefined;
  return toDb((c) => inStrips(...[a, b].map((pixels) => ({ pixels, c, width, height }))));
}

function inStrips(first, second) {
  let value = 1;
  for (const [scale, weight] of WEIGHTS.entries()) {
    const { width, height } = first;
    const sums = { ssim: 0, cs: 0, count: 0 };
    for (let top = 0; top + WINDOW <= height; top += STRIP) {
      const rows = Math.min(STRIP + WINDOW - 1, height - top);
      const [part, other] = [first, second].map((level) => rowsOf(level, top, rows));
      add(sums, similarity(known(part, width, rows), other));
    }
    value *= meanOf(sums, scale) ** weight;
    if (scale < WEIGHTS.length - 1) [first, second] = [first, second].map(smallerInStrips);
  }
  return value;
}

/** Some rows of a scale: of the picture itself, whose planes are never there as a whole, or of a smaller one. */
function rowsOf({ x, pixels, c, width }, top, rows) {
  const [from, to] = [top * width, (top + rows) * width];
  return x ? x.subarray(from, to) : plane(pixels.subarray(4 * from, 4 * to), c);
}

function smallerInStrips(level) {
  if (level.x) return smaller(level);
  const { width, height } = level;
  const [w, h] = [width, height].map((side) => (side + (side % 2)) >> 1);
  const x = new Float32Array(w * h);
  const pad = height % 2; // the first row is halved with zeros
  for (let top = 0; top < h; top += STRIP) {
    const from = Math.max(0, 2 * top - pad);
    const rows = Math.min(2 * (top + STRIP) - pad, height) - from;
    x.set(halved(rowsOf(level, from, rows), width, rows), top * w);
  }
  return { x, width: w, height: h };
}

const meanOf = ({ ssim, cs, count }, scale) => Math.max(0, (scale < WEIGHTS.length - 1 ? cs : ssim) / count);

function add(sums, more) {
  for (const name of Object.keys(sums)) sums[name] += more[name];
}

function toDb(channel) {
  const mean = (channel(0) + channel(1) + channel(2)) / 3;
  return mean >= 1 ? "inf" : -10 * Math.log10(1 - mean);
}

function scalesOf(pixels, c, width, height) {
  const scales = [];
  let level = { x: plane(pixels, c), width, height };
  for (const scale of WEIGHTS.keys()) {
    scales.push(known(level.x, level.width, level.height));
    if (scale < WEIGHTS.length - 1) level = smaller(level);
  }
  return scales;
}

const known = (x, width, height) => ({
  x,
  width,
  height,
  means: blurred(x, width, height),
  squares: blurred(product(x, x), width, height),
});

function plane(pixels, c) {
  const out = new Float32Array(pixels.length / 4);
  for (let i = 0; i < out.length; i++) out[i] = pixels[4 * i + c];
  return out;
}

function product(a, b) {
  const out = new Float32Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] * b[i];
  return out;
}

const smaller = ({ x, width, height }) => ({
  x: halved(x, width, height),
  width: (width + (width % 2)) >> 1,
  height: (height + (height % 2)) >> 1,
});

function ofChannel(scales, y) {
  let level = { x: y, width: scales[0].width, height: scales[0].height };
  let value = 1;
  for (const [scale, weight] of WEIGHTS.entries()) {
    value *= meanOf(similarity(scales[scale], level.x), scale) ** weight;
    if (scale < WEIGHTS.length - 1) level = smaller(level);
  }
  return value;
}

/** Sums of SSIM, and of its contrast and structure, over all places where the window fits, and how many they are. */
function similarity({ x, means: mx, squares: xx, width, height }, y) {
  const [my, yy, xy] = [y, product(y, y), product(x, y)].map((values) => blurred(values, width, height));
  let [ssim, cs] = [0, 0];
  for (let i = 0; i < mx.length; i++) {
    const both = mx[i] * my[i];
    const squares = mx[i] * mx[i] + my[i] * my[i];
    const structure = (2 * (xy[i] - both) + C2) / (xx[i] + yy[i] - squares + C2);
    cs += structure;
    ssim += (structure * (2 * both + C1)) / (squares + C1);
  }
  return { ssim, cs, count: mx.length };
}

/** Under a Gaussian window, where it fits: (height − 10) × (width − 10). */
function blurred(v, width, height) {
  const [w, h] = [width - WINDOW + 1, height - WINDOW + 1];
  const rows = new Float32Array(w * height);
  for (let y = 0, to = 0; y < height; y++)
    for (let at = y * width, end = at + w; at < end; at++, to++)
      rows[to] =
        K0 * (v[at] + v[at + 10]) +
        K1 * (v[at + 1] + v[at + 9]) +
        K2 * (v[at + 2] + v[at + 8]) +
        K3 * (v[at + 3] + v[at + 7]) +
        K4 * (v[at + 4] + v[at + 6]) +
        K5 * v[at + 5];
  const out = new Float32Array(w * h);
  for (let at = 0; at < out.length; at++)
    out[at] =
      K0 * (rows[at] + rows[at + 10 * w]) +
      K1 * (rows[at + w] + rows[at + 9 * w]) +
      K2 * (rows[at + 2 * w] + rows[at + 8 * w]) +
      K3 * (rows[at + 3 * w] + rows[at + 7 * w]) +
      K4 * (rows[at + 4 * w] + rows[at + 6 * w]) +
      K5 * rows[at + 5 * w];
  return out;
}

/** Means of 2 × 2 places; an odd side has a row of zeros before it, as in torch's avg_pool2d with padding. */
function halved(values, width, height) {
  const [padX, padY] = [width % 2, height % 2];
  const [w, h] = [(width + padX) >> 1, (height + padY) >> 1];
  const out = new Float32Array(w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (const v of [2 * y - padY, 2 * y - padY + 1])
        for (const u of [2 * x - padX, 2 * x - padX + 1])
          if (u >= 0 && v >= 0 && u < width && v < height) sum += values[v * width + u];
      out[y * w + x] = sum / 4;
    }
  return out;
}
