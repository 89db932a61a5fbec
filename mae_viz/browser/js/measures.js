// PSNR and MS-SSIM of 8-bit RGB, as mae_viz/metrics.py defines them (MS-SSIM after Wang et al. 2003, five scales, as in
// pytorch_msssim). Pixels are RGBA, alpha ignored.

const WINDOW = 11;
const SIGMA = 1.5;
const SMALLEST = 161; // pixels a side: five scales of the window
const WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
const [C1, C2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
const KERNEL = (() => {
  const g = Float64Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - (WINDOW >> 1)) ** 2) / (2 * SIGMA ** 2)));
  const sum = g.reduce((a, b) => a + b);
  return g.map((v) => v / sum);
})();

/** Peak signal-to-noise ratio in dB; "inf" for equal pictures, as frames write it. */
export function psnrDb(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 4)
    sum += (a[i] - b[i]) ** 2 + (a[i + 1] - b[i + 1]) ** 2 + (a[i + 2] - b[i + 2]) ** 2;
  const mse = sum / ((3 * a.length) / 4);
  return mse ? 10 * Math.log10(255 ** 2 / mse) : "inf";
}

/** −10 log₁₀(1 − MS-SSIM) in dB; undefined under 161 pixels a side. */
export function msSsimDb(a, b, width, height) {
  if (Math.min(width, height) < SMALLEST) return undefined;
  let mean = 0;
  for (let c = 0; c < 3; c++) mean += ofChannel(plane(a, c), plane(b, c), width, height) / 3;
  return mean >= 1 ? "inf" : -10 * Math.log10(1 - mean);
}

const plane = (pixels, c) => Float32Array.from({ length: pixels.length / 4 }, (_, i) => pixels[4 * i + c]);

function ofChannel(x, y, width, height) {
  let product = 1;
  for (const [scale, weight] of WEIGHTS.entries()) {
    const { ssim, cs } = similarity(x, y, width, height);
    const last = scale === WEIGHTS.length - 1;
    product *= Math.max(0, last ? ssim : cs) ** weight;
    if (last) break;
    [x, y] = [x, y].map((values) => halved(values, width, height));
    [width, height] = [width, height].map((side) => (side + (side % 2)) >> 1);
  }
  return product;
}

/** Mean SSIM and mean of its contrast and structure, over all places where the window fits. */
function similarity(x, y, width, height) {
  const { length } = x;
  const products = [new Float32Array(length), new Float32Array(length), new Float32Array(length)];
  for (let i = 0; i < length; i++) {
    products[0][i] = x[i] * x[i];
    products[1][i] = y[i] * y[i];
    products[2][i] = x[i] * y[i];
  }
  const [mx, my, xx, yy, xy] = [x, y, ...products].map((values) => blurred(values, width, height));
  let [ssim, cs] = [0, 0];
  for (let i = 0; i < mx.length; i++) {
    const both = mx[i] * my[i];
    const squares = mx[i] * mx[i] + my[i] * my[i];
    const structure = (2 * (xy[i] - both) + C2) / (xx[i] + yy[i] - squares + C2);
    cs += structure;
    ssim += (structure * (2 * both + C1)) / (squares + C1);
  }
  return { ssim: ssim / mx.length, cs: cs / mx.length };
}

/** Under a Gaussian window, where it fits: (height − 10) × (width − 10). */
function blurred(values, width, height) {
  const [w, h] = [width - WINDOW + 1, height - WINDOW + 1];
  const rows = new Float64Array(w * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < w; x++) {
      const from = y * width + x;
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += KERNEL[k] * values[from + k];
      rows[y * w + x] = sum;
    }
  const out = new Float64Array(w * h);
  for (let k = 0; k < WINDOW; k++) {
    const weight = KERNEL[k];
    const from = k * w;
    for (let i = 0; i < out.length; i++) out[i] += weight * rows[from + i];
  }
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
