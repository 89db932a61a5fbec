// Made from mae_viz/browser/js by bundle.js: change those files, then type make bundle.

// mae_viz/browser/js/bits.js
async function bitsOf(model, groups, index, width, height) {
  const models = model.tables.at(index);
  const places = groups[0].length / models.length;
  const first = new Float32Array(groups[0].length);
  models.forEach((table, c) => {
    const costs2 = costsOf(table);
    for (let i = c * places; i < (c + 1) * places; i++) first[i] = cost(groups[0][i], table, costs2);
  });
  if (!model.hyper) return { y: first, z: null };
  const gaussians = model.hyper.models();
  const costs = gaussians.map(costsOf);
  const scales2 = await model.hyper.indexes(groups[0], ...model.places(width, height), index);
  const y = new Float32Array(groups[1].length);
  for (let i = 0; i < y.length; i++) y[i] = cost(groups[1][i], gaussians[scales2[i]], costs[scales2[i]]);
  return { y, z: first };
}
function costsOf({ bounds }) {
  const whole = Math.log2(bounds[bounds.length - 1]);
  return Float64Array.from({ length: bounds.length - 1 }, (_, i) => whole - Math.log2(bounds[i + 1] - bounds[i]));
}
function cost(symbol, { first, outside }, costs) {
  const entry = symbol - first;
  if (entry >= 0 && entry < outside) return costs[entry];
  let code = entry < 0 ? -2 * entry - 1 : 2 * (entry - outside + 1);
  let bytes = 1;
  for (; code >= 128; code >>>= 7) bytes++;
  return costs[outside] + 8 * bytes;
}
function byPlace({ y, z }, [channels, h, w]) {
  const out = new Float32Array(h * w);
  for (let c = 0; c < channels; c++) for (let i = 0; i < h * w; i++) out[i] += y[c * h * w + i];
  if (!z) return out;
  const per = z.length / channels;
  const ratio = Math.sqrt(h * w / per);
  const columns = w / ratio;
  const own = new Float32Array(per);
  for (let c = 0; c < channels; c++) for (let i = 0; i < per; i++) own[i] += z[c * per + i];
  for (let row = 0; row < h; row++)
    for (let column = 0; column < w; column++)
      out[row * w + column] += own[Math.floor(row / ratio) * columns + Math.floor(column / ratio)] / ratio ** 2;
  return out;
}
function byChannel({ y }, channels) {
  const places = y.length / channels;
  return Float64Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = c * places; i < (c + 1) * places; i++) sum += y[i];
    return sum;
  });
}

// mae_viz/browser/js/bmp.js
var HEADER = 54;
function bmp(pixels, width, height) {
  const row = Math.ceil(3 * width / 4) * 4;
  const bytes = new Uint8Array(HEADER + row * height);
  const view = new DataView(bytes.buffer);
  bytes.set([66, 77]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, HEADER, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, -height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      const to = HEADER + y * row + 3 * x;
      bytes[to] = pixels[from + 2];
      bytes[to + 1] = pixels[from + 1];
      bytes[to + 2] = pixels[from];
    }
  return bytes;
}

// mae_viz/browser/js/measures.js
var WINDOW = 11;
var SIGMA = 1.5;
var SMALLEST = 161;
var STRIP = 64;
var WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
var [C1, C2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
var [K0, K1, K2, K3, K4, K5] = (() => {
  const g = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - (WINDOW >> 1)) ** 2) / (2 * SIGMA ** 2)));
  const sum = g.reduce((a, b) => a + b);
  return g.map((v) => v / sum);
})();
function psnrDb(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 4)
    sum += (a[i] - b[i]) ** 2 + (a[i + 1] - b[i + 1]) ** 2 + (a[i + 2] - b[i + 2]) ** 2;
  const mse = sum / (3 * a.length / 4);
  return mse ? 10 * Math.log10(255 ** 2 / mse) : "inf";
}
function pyramid(pixels, width, height) {
  if (Math.min(width, height) < SMALLEST) return null;
  return [0, 1, 2].map((c) => scalesOf(pixels, c, width, height));
}
function msSsimDb(original2, pixels) {
  return original2 ? toDb((c) => ofChannel(original2[c], plane(pixels, c))) : void 0;
}
function msSsimDbOnce(a, b, width, height) {
  if (Math.min(width, height) < SMALLEST) return void 0;
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
function rowsOf({ x, pixels, c, width }, top, rows) {
  const [from, to] = [top * width, (top + rows) * width];
  return x ? x.subarray(from, to) : plane(pixels.subarray(4 * from, 4 * to), c);
}
function smallerInStrips(level) {
  if (level.x) return smaller(level);
  const { width, height } = level;
  const [w, h] = [width, height].map((side) => side + side % 2 >> 1);
  const x = new Float32Array(w * h);
  const pad = height % 2;
  for (let top = 0; top < h; top += STRIP) {
    const from = Math.max(0, 2 * top - pad);
    const rows = Math.min(2 * (top + STRIP) - pad, height) - from;
    x.set(halved(rowsOf(level, from, rows), width, rows), top * w);
  }
  return { x, width: w, height: h };
}
var meanOf = ({ ssim, cs, count }, scale) => Math.max(0, (scale < WEIGHTS.length - 1 ? cs : ssim) / count);
function add(sums, more) {
  for (const name of Object.keys(sums)) sums[name] += more[name];
}
function toDb(channel) {
  const mean = (channel(0) + channel(1) + channel(2)) / 3;
  return mean >= 1 ? "inf" : -10 * Math.log10(1 - mean);
}
function scalesOf(pixels, c, width, height) {
  const scales2 = [];
  let level = { x: plane(pixels, c), width, height };
  for (const scale of WEIGHTS.keys()) {
    scales2.push(known(level.x, level.width, level.height));
    if (scale < WEIGHTS.length - 1) level = smaller(level);
  }
  return scales2;
}
var known = (x, width, height) => ({
  x,
  width,
  height,
  means: blurred(x, width, height),
  squares: blurred(product(x, x), width, height)
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
var smaller = ({ x, width, height }) => ({
  x: halved(x, width, height),
  width: width + width % 2 >> 1,
  height: height + height % 2 >> 1
});
function ofChannel(scales2, y) {
  let level = { x: y, width: scales2[0].width, height: scales2[0].height };
  let value = 1;
  for (const [scale, weight] of WEIGHTS.entries()) {
    value *= meanOf(similarity(scales2[scale], level.x), scale) ** weight;
    if (scale < WEIGHTS.length - 1) level = smaller(level);
  }
  return value;
}
function similarity({ x, means: mx, squares: xx, width, height }, y) {
  const [my, yy, xy] = [y, product(y, y), product(x, y)].map((values) => blurred(values, width, height));
  let [ssim, cs] = [0, 0];
  for (let i = 0; i < mx.length; i++) {
    const both = mx[i] * my[i];
    const squares = mx[i] * mx[i] + my[i] * my[i];
    const structure = (2 * (xy[i] - both) + C2) / (xx[i] + yy[i] - squares + C2);
    cs += structure;
    ssim += structure * (2 * both + C1) / (squares + C1);
  }
  return { ssim, cs, count: mx.length };
}
function blurred(v, width, height) {
  const [w, h] = [width - WINDOW + 1, height - WINDOW + 1];
  const rows = new Float32Array(w * height);
  for (let y = 0, to = 0; y < height; y++)
    for (let at = y * width, end = at + w; at < end; at++, to++)
      rows[to] = K0 * (v[at] + v[at + 10]) + K1 * (v[at + 1] + v[at + 9]) + K2 * (v[at + 2] + v[at + 8]) + K3 * (v[at + 3] + v[at + 7]) + K4 * (v[at + 4] + v[at + 6]) + K5 * v[at + 5];
  const out = new Float32Array(w * h);
  for (let at = 0; at < out.length; at++)
    out[at] = K0 * (rows[at] + rows[at + 10 * w]) + K1 * (rows[at + w] + rows[at + 9 * w]) + K2 * (rows[at + 2 * w] + rows[at + 8 * w]) + K3 * (rows[at + 3 * w] + rows[at + 7 * w]) + K4 * (rows[at + 4 * w] + rows[at + 6 * w]) + K5 * rows[at + 5 * w];
  return out;
}
function halved(values, width, height) {
  const [padX, padY] = [width % 2, height % 2];
  const [w, h] = [width + padX >> 1, height + padY >> 1];
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

// mae_viz/browser/js/pictures.js
var MAX_PIXELS = 2 ** 25;
var SCRUBBED = 8e5;

// mae_viz/browser/js/rounding.js
var SHIFT = 1.5 * 2 ** 52;
var roundEven = (v) => v + SHIFT - SHIFT;

// mae_viz/browser/js/rates.js
var LMBDA_MIN = 64;
var LMBDA_MAX = 4096;
var STEPS_PER_OCTAVE = 64;
var LAST_INDEX = 384;
var lmbdaAt = (index) => LMBDA_MIN * 2 ** (index / STEPS_PER_OCTAVE);
function indexNear(lmbda) {
  if (!(lmbda >= LMBDA_MIN && lmbda <= LMBDA_MAX))
    throw new RangeError(`λ = ${lmbda} is outside the trained range: choose 64 ≤ λ ≤ 4096.`);
  return roundEven(STEPS_PER_OCTAVE * Math.log2(lmbda / LMBDA_MIN));
}

// mae_viz/browser/js/frame.js
var RANKED = 32;
function original({ pixels, width, height }) {
  return { frame: { at: 0 }, files: { file: bmp(pixels, width, height) } };
}
async function ofModel(codec, picture, index, { maps, hand, progress, signal }) {
  const { width, height } = picture;
  const part = (from, share) => (done) => progress?.(from + share * done);
  const lmbda = lmbdaAt(index);
  const encoding = codec.encode({ ...picture, lmbda, hand }, { progress: part(0, 0.45), signal });
  const { bytes, y, symbols } = await encoding.then((coded) => maps ? coded : { bytes: coded.bytes });
  const decoding = codec.decode(bytes, { progress: part(0.45, 0.45), signal, hand });
  const made = ofFile(picture, index, bytes.length, await decoding.then(({ pixels }) => pixels));
  made.frame.lmbda = lmbda;
  made.files.stream = bytes;
  if (!maps) return made;
  const { channels, latent } = codec.facts;
  const [h, w] = codec.model.latents(width, height);
  const bits = await bitsOf(codec.model, symbols, index, width, height);
  const sums = byChannel(bits, channels);
  const { lmbda: _, ...gains } = codec.rate(index, hand);
  const places = byPlace(bits, [channels, h, w]);
  Object.assign(made.files, {
    y: bytesOf(y),
    bits: bytesOf(places),
    by_channel: bytesOf(Float32Array.from([sums, ...Object.values(gains)].flatMap((values) => [...values])))
  });
  made.frame.estimated_bpp = +(places.reduce((a, b) => a + b, 0) / (width * height)).toFixed(5);
  made.frame.rank = [...sums.keys()].sort((a, b) => sums[b] - sums[a] || a - b).slice(0, RANKED);
  return { ...made, maps: { places: [h, w], channels, stride: latent, layers: Object.keys(gains) } };
}
async function ofBrowser({ type }, picture, quality) {
  const { pixels, width, height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.putImageData(new ImageData(opaque(pixels), width, height), 0, 0);
  const blob = await canvas.convertToBlob({ type, quality: quality / 100 });
  if (blob.type !== type) throw new Error(`this browser writes no ${type.slice(6).toUpperCase()} files.`);
  context.drawImage(await createImageBitmap(blob, { colorSpaceConversion: "none" }), 0, 0);
  const decoded = context.getImageData(0, 0, width, height).data;
  const made = ofFile(picture, quality, blob.size, decoded);
  made.files.coded = new Uint8Array(await blob.arrayBuffer());
  return made;
}
function ofFile(picture, at, length, decoded) {
  const { pixels, width, height } = picture;
  const often = width * height <= SCRUBBED;
  if (often && picture.pyramid === void 0) picture.pyramid = pyramid(pixels, width, height);
  return {
    frame: {
      at,
      bytes: length,
      bpp: +(8 * length / (width * height)).toFixed(5),
      psnr_db: psnrDb(pixels, decoded),
      ms_ssim_db: often ? msSsimDb(picture.pyramid, decoded) : msSsimDbOnce(pixels, decoded, width, height)
    },
    files: { file: bmp(decoded, width, height) }
  };
}
var bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
function opaque(pixels) {
  const out = new Uint8ClampedArray(pixels);
  for (let i = 3; i < out.length; i += 4) out[i] = 255;
  return out;
}

// mae_viz/browser/js/frames.js
var Frames = class {
  #library;
  #pictures = /* @__PURE__ */ new Map();
  constructor(library2) {
    this.#library = library2;
  }
  /** Keep a picture, {key, pixels (RGBA), width, height}, for frames to come. */
  keep({ key, ...picture }) {
    this.#pictures.set(key, picture);
  }
  forget(key) {
    this.#pictures.delete(key);
  }
  /** `codec`: of a page's, {id, axis}, with `encoder` where the browser itself codes, with `from` and `hand` where a
   *  person has changed a model; `at`: rate index or quality; `maps`: whether to tell what is inside the file. */
  async frame({ key, codec, at, maps }, looks) {
    const picture = this.#pictures.get(key);
    if (!picture) throw new RangeError("this picture is not open any more.");
    if (codec.axis === "none") return original(picture);
    if (codec.encoder) return ofBrowser(codec.encoder, picture, at);
    const model = await this.#library.codec(codec.from ?? codec.id);
    return ofModel(model, picture, at, { maps, hand: codec.hand, ...looks });
  }
};

// mae_viz/browser/js/crc32.js
var TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 3988292384 : crc >>> 1;
  return crc;
});
function crc32(bytes, before = 0) {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ crc >>> 8;
  return ~crc >>> 0;
}

// mae_viz/browser/js/range_coder.js
var PRECISION = 24;
var WHOLE = 2 ** PRECISION;
var WORD = 2 ** 32;
var productHigh = 0;
var productLow = 0;
function scaled(factor, rangeHigh, rangeLow) {
  const scaleLow = (rangeHigh << 8 | rangeLow >>> 24) >>> 0;
  const a = factor * (scaleLow & 65535);
  const b = factor * (scaleLow >>> 16);
  const low = a + b % 65536 * 65536;
  productLow = low >>> 0;
  productHigh = factor * (rangeHigh >>> 24) + Math.floor(b / 65536) + Math.floor(low / WORD);
}
var RangeEncoder = class {
  constructor() {
    this.words = new Uint32Array(1024);
    this.length = 0;
    this.lowerHigh = 0;
    this.lowerLow = 0;
    this.rangeHigh = WORD - 1;
    this.rangeLow = WORD - 1;
    this.waiting = 0;
    this.first = 0;
  }
  /** The symbol that owns the interval from `low` to `high`, 0 ≤ low < high ≤ 2^24. */
  encode(low, high) {
    scaled(low, this.rangeHigh, this.rangeLow);
    const sum = this.lowerLow + productLow;
    let lowerLow = sum >>> 0;
    let lowerHigh = this.lowerHigh + productHigh + (sum >= WORD ? 1 : 0);
    const carry = lowerHigh >= WORD;
    if (carry) lowerHigh -= WORD;
    scaled(high - low, this.rangeHigh, this.rangeLow);
    let rangeHigh = productHigh;
    let rangeLow = productLow;
    if (this.waiting && fits(lowerHigh, lowerLow, rangeHigh, rangeLow)) this.#settle(carry);
    if (rangeHigh === 0) {
      const word = lowerHigh;
      lowerHigh = lowerLow;
      lowerLow = 0;
      rangeHigh = rangeLow;
      rangeLow = 0;
      if (this.waiting) this.waiting++;
      else if (fits(lowerHigh, lowerLow, rangeHigh, rangeLow)) this.#write(word);
      else {
        this.waiting = 1;
        this.first = word;
      }
    }
    this.lowerHigh = lowerHigh;
    this.lowerLow = lowerLow;
    this.rangeHigh = rangeHigh;
    this.rangeLow = rangeLow;
  }
  /** The payload so far, as words; nothing can be encoded after it. */
  finish() {
    if (this.rangeHigh !== WORD - 1 || this.rangeLow !== WORD - 1) {
      const sum = this.lowerLow + (WORD - 1);
      let point = this.lowerHigh + (sum >= WORD ? 1 : 0);
      const carry = point >= WORD;
      if (carry) point -= WORD;
      if (this.waiting) this.#settle(carry);
      this.#write(point);
      const upper = this.lowerHigh + this.rangeHigh + (this.lowerLow + this.rangeLow >= WORD ? 1 : 0);
      if (upper % WORD === point) this.#write(0);
    }
    return this.words.slice(0, this.length);
  }
  /** Write the words that waited, now that it is known whether something is carried into them. */
  #settle(carry) {
    this.#write(carry ? this.first + 1 : this.first);
    for (let i = 1; i < this.waiting; i++) this.#write(carry ? 0 : WORD - 1);
    this.waiting = 0;
  }
  #write(word) {
    if (this.length === this.words.length) {
      const longer = new Uint32Array(2 * this.length);
      longer.set(this.words);
      this.words = longer;
    }
    this.words[this.length++] = word;
  }
};
function fits(lowerHigh, lowerLow, rangeHigh, rangeLow) {
  return lowerHigh + rangeHigh + (lowerLow + rangeLow >= WORD ? 1 : 0) < WORD;
}
var RangeDecoder = class {
  constructor(words) {
    this.words = words;
    this.position = 2;
    this.rangeHigh = WORD - 1;
    this.rangeLow = WORD - 1;
    this.offsetHigh = words[0] ?? 0;
    this.offsetLow = words[1] ?? 0;
  }
  /** The entry whose interval holds the next symbol, −1 where none does: no encoder has written these words. `bounds`:
   *  where the entries' intervals begin, and last where all end. */
  decode(bounds) {
    const { rangeHigh, rangeLow } = this;
    const scale = rangeHigh * 256 + (rangeLow >>> 24);
    let quantile = Math.floor((this.offsetHigh * WORD + this.offsetLow) / scale);
    if (quantile > WHOLE) return -1;
    scaled(quantile, rangeHigh, rangeLow);
    if (this.#below()) scaled(--quantile, rangeHigh, rangeLow);
    const rest = (this.offsetHigh - productHigh) * WORD + (this.offsetLow - productLow);
    if (rest >= scale) quantile++;
    if (quantile >= WHOLE) return -1;
    let entry = 0;
    for (let end = bounds.length - 1; end - entry > 1; ) {
      const middle = entry + end >> 1;
      if (bounds[middle] <= quantile) entry = middle;
      else end = middle;
    }
    const low = bounds[entry];
    scaled(low, rangeHigh, rangeLow);
    let high = this.offsetHigh - productHigh;
    let rest32 = this.offsetLow - productLow;
    if (rest32 < 0) {
      rest32 += WORD;
      high--;
    }
    scaled(bounds[entry + 1] - low, rangeHigh, rangeLow);
    if (productHigh) {
      this.rangeHigh = productHigh;
      this.rangeLow = productLow;
      this.offsetHigh = high;
      this.offsetLow = rest32;
    } else {
      this.rangeHigh = productLow;
      this.rangeLow = 0;
      this.offsetHigh = rest32;
      this.offsetLow = this.position < this.words.length ? this.words[this.position] : 0;
      this.position++;
    }
    return entry;
  }
  /** Whether the offset lies below the product. */
  #below() {
    return this.offsetHigh < productHigh || this.offsetHigh === productHigh && this.offsetLow < productLow;
  }
};

// mae_viz/browser/js/bitstream.js
var MAGIC = [139, 77, 65, 69];
var VERSION = 2;
var HEADER_BYTES = 35;
var CRC_OFFSET = HEADER_BYTES - 4;
var MAX_PIXELS2 = 2 ** 27;
var LONGEST = 4;
var StreamError = class extends Error {
  name = "StreamError";
};
var UNFITTING = "the file's contents contradict each other: it was written by a faulty program.";
function pack(stream) {
  const bytes = new Uint8Array(HEADER_BYTES + stream.payload.length + stream.escapes.length);
  bytes.set(header({ version: VERSION, ...stream }));
  bytes.set(stream.payload, HEADER_BYTES);
  bytes.set(stream.escapes, HEADER_BYTES + stream.payload.length);
  const crc = crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CRC_OFFSET)));
  new DataView(bytes.buffer).setUint32(CRC_OFFSET, crc, true);
  return bytes;
}
function parse(data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < HEADER_BYTES)
    throw new StreamError(`the file has ${bytes.length} bytes, less than a .mae header: it is empty or cut off.`);
  if (MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new StreamError("this is no .mae file: its first bytes are wrong.");
  const version = bytes[4];
  if (version !== 1 && version !== 2)
    throw new StreamError(`the file has format version ${version}, this program reads 1 and 2: update it.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = HEADER_BYTES + 4 * view.getUint32(19, true);
  const expected = end + view.getUint32(23, true);
  if (bytes.length !== expected) {
    const state = bytes.length < expected ? "cut off" : "followed by other bytes";
    throw new StreamError(`the file is ${state}: ${bytes.length} bytes instead of ${expected}. Fetch it again.`);
  }
  const crc = crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CRC_OFFSET)));
  if (crc !== view.getUint32(CRC_OFFSET, true))
    throw new StreamError("the file is damaged: its checksum does not match. Fetch it again.");
  const [index, width, height] = [13, 15, 17].map((offset) => view.getUint16(offset, true));
  if (index > LAST_INDEX || !width || !height)
    throw new StreamError("the file names a rate or a size that does not exist: it was written by a faulty program.");
  if (width * height > MAX_PIXELS2)
    throw new StreamError(`the file claims ${width} × ${height} pixels, more than this program decodes.`);
  return {
    version,
    fingerprint: hex(bytes.subarray(5, 13)),
    index,
    width,
    height,
    payload: bytes.slice(HEADER_BYTES, end),
    escapes: bytes.slice(end),
    symbolsCrc: view.getUint32(27, true)
  };
}
function checksum(stream, groups) {
  const { version } = { version: VERSION, ...stream };
  const facts = header({ version, symbolsCrc: 0, ...stream }).subarray(5, 19);
  return groups.reduce(
    (crc, symbols) => crc32(new Uint8Array(symbols.buffer, symbols.byteOffset, symbols.byteLength), crc),
    version > 1 ? crc32(facts) : 0
  );
}
function header({ version, fingerprint, index, width, height, payload, escapes, symbolsCrc }) {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes[4] = version;
  for (let i = 0; i < 8; i++) bytes[5 + i] = Number.parseInt(fingerprint.slice(2 * i, 2 * i + 2), 16);
  view.setUint16(13, index, true);
  view.setUint16(15, width, true);
  view.setUint16(17, height, true);
  view.setUint32(19, payload.length / 4, true);
  view.setUint32(23, escapes.length, true);
  view.setUint32(27, symbolsCrc, true);
  return bytes;
}
var hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
var SymbolEncoder = class {
  #coder = new RangeEncoder();
  #escapes = [];
  /** Symbols of as many groups as there are `models` (Frequencies), equally many of each. Throws a RangeError for a
   *  symbol that no escape reaches. */
  add(symbols, models) {
    const places = symbols.length / models.length;
    models.forEach(({ first, outside, bounds }, group) => {
      for (let i = group * places; i < (group + 1) * places; i++) {
        let entry = symbols[i] - first;
        if (entry < 0 || entry >= outside) {
          this.#escape(entry < 0 ? -2 * entry - 1 : 2 * (entry - outside + 1));
          entry = outside;
        }
        this.#coder.encode(bounds[entry], bounds[entry + 1]);
      }
    });
  }
  /** {payload, escapes} of all that was added, as bytes; nothing can be added after it. */
  sections() {
    const words = this.#coder.finish();
    return { payload: new Uint8Array(words.buffer), escapes: Uint8Array.from(this.#escapes) };
  }
  #escape(code) {
    if (code >= 2 ** (7 * LONGEST))
      throw new RangeError("a symbol lies too far outside its table: this model cannot code this picture.");
    for (; code >= 128; code >>>= 7) this.#escapes.push(code & 127 | 128);
    this.#escapes.push(code);
  }
};
var SymbolDecoder = class {
  #coder;
  #payloadBytes;
  #escapes;
  #position = 0;
  #leastBits = 0;
  constructor({ payload, escapes }) {
    this.#payloadBytes = payload.length;
    this.#coder = new RangeDecoder(new Uint32Array(payload.slice().buffer));
    this.#escapes = escapes;
  }
  /** Throws a StreamError where so many further symbols (a number for each of the models) cannot be in so short a
   *  payload. To be asked once of all that will be taken, and before memory is taken for it. */
  checkRoom(models, places) {
    models.forEach((model, group) => {
      this.#leastBits += places[group] * model.leastBits;
    });
    if (0.9 * this.#leastBits / 8 > this.#payloadBytes + 16)
      throw new StreamError("the file claims more pixels than it can hold: it was written by a faulty program.");
  }
  /** The next groups of symbols, `places` of each. Throws a StreamError where they do not fit their tables. */
  take(models, places) {
    const symbols = new Int32Array(models.length * places);
    models.forEach(({ first, outside, bounds }, group) => {
      for (let i = group * places; i < (group + 1) * places; i++) {
        let entry = this.#coder.decode(bounds);
        if (entry < 0) throw new StreamError(UNFITTING);
        if (entry === outside) {
          const code = this.#escape();
          entry = code % 2 ? -(code + 1) / 2 : outside - 1 + code / 2;
        }
        symbols[i] = first + entry;
      }
    });
    return symbols;
  }
  /** Throws a StreamError where escapes are left over. */
  finish() {
    if (this.#position !== this.#escapes.length) throw new StreamError(UNFITTING);
  }
  #escape() {
    for (let code = 0, shift = 0; shift < 7 * LONGEST && this.#position < this.#escapes.length; shift += 7) {
      const byte = this.#escapes[this.#position++];
      code |= (byte & 127) << shift;
      if (byte < 128 && code) return code;
      if (byte < 128) break;
    }
    throw new StreamError(UNFITTING);
  }
};

// mae_viz/browser/js/entropy_tables.js
var TOTAL = 65536;
var LIMIT = 16 * 65536;
var PER_ENTRY = 1024;
var SIGMOID_SHIFT = 14;
var KEPT = 8;
var Frequencies = class {
  /** `first`: the lowest symbol; `counts`: frequencies of the symbols from there and last of the escape. They add up to
   *  65536. */
  constructor(first, counts) {
    this.first = first;
    this.outside = counts.length - 1;
    this.bounds = new Uint32Array(counts.length + 1);
    let sum = 0;
    let most = 0;
    counts.forEach((count, i) => {
      this.bounds[i] = Math.floor(sum * (WHOLE - counts.length) / TOTAL) + i;
      sum += count;
      most = Math.max(most, count);
    });
    this.bounds[counts.length] = WHOLE;
    this.leastBits = 16 - Math.log2(most);
  }
};
var EntropyTables = class {
  #kept = /* @__PURE__ */ new Map();
  /** `tensor`: name → values of logits, first, symbols, sigmoid and rows, Int32Arrays. */
  constructor(tensor) {
    this.logits = tensor("logits");
    this.first = tensor("first");
    this.symbols = tensor("symbols");
    this.sigmoid = tensor("sigmoid");
    this.rows = tensor("rows");
    this.edges = this.symbols.reduce((sum, n) => sum + n + 1, 0);
    if (this.rows.length * this.edges !== this.logits.length)
      throw new Error("the entropy tables of this model contradict each other: load them again.");
  }
  /** Frequencies of every channel at a rate index. Throws a RangeError for one outside the rows. */
  at(index) {
    let found = this.#kept.get(index);
    if (!found) {
      found = this.#made(index);
      if (this.#kept.size === KEPT) this.#kept.delete(this.#kept.keys().next().value);
      this.#kept.set(index, found);
    }
    return found;
  }
  #made(index) {
    const { below, a, b } = between(this.rows, index);
    const low = this.logits.subarray(below * this.edges, (below + 1) * this.edges);
    const high = index > a ? this.logits.subarray((below + 1) * this.edges, (below + 2) * this.edges) : low;
    const cumulative = new Int32Array(this.edges);
    for (let i = 0; i < this.edges; i++)
      cumulative[i] = this.#sigmoid16(
        index > a ? Math.floor(((b - index) * low[i] + (index - a) * high[i]) / (b - a)) : low[i]
      );
    let start = 0;
    return Array.from(this.symbols, (n, channel) => {
      const counts = Array.from({ length: n }, (_, i) => cumulative[start + i + 1] - cumulative[start + i]);
      start += n + 1;
      return frequencies(this.first[channel], counts);
    });
  }
  /** σ of a logit, on a scale of 65536. */
  #sigmoid16(logit) {
    const x = Math.min(Math.max(logit, -LIMIT), LIMIT) + LIMIT;
    const entry = Math.floor(x / PER_ENTRY);
    const here = this.sigmoid[entry];
    const after = this.sigmoid[Math.min(entry + 1, this.sigmoid.length - 1)];
    const value = here + Math.floor((after - here) * (x % PER_ENTRY) / PER_ENTRY);
    return Math.floor((value + 2 ** (SIGMOID_SHIFT - 1)) / 2 ** SIGMOID_SHIFT);
  }
};
function between(rows, index) {
  const last2 = rows.length - 1;
  if (!(index >= rows[0] && index <= rows[last2]))
    throw new RangeError(`rate index ${index} is outside this model's ${rows[0]}…${rows[last2]}.`);
  let below = last2;
  while (rows[below] > index) below--;
  return { below, a: rows[below], b: rows[Math.min(below + 1, last2)] };
}
function frequencies(first, raw) {
  const from = raw.findIndex((count) => count !== 0);
  if (from < 0) return new Frequencies(first, [1, TOTAL - 1]);
  let counts = raw.slice(from, raw.findLastIndex((count) => count !== 0) + 1).map((count) => Math.max(count, 1));
  counts.push(Math.max(1, TOTAL - sumOf(counts)));
  const top = counts.indexOf(counts.slice(0, -1).reduce((a, b) => Math.max(a, b)));
  let excess = sumOf(counts) - TOTAL;
  if (2 * excess > counts[top]) {
    const above = sumOf(counts) - counts.length;
    const room = TOTAL - counts.length;
    counts = counts.map((count) => 1 + Math.floor((count - 1) * room / above));
    excess = sumOf(counts) - TOTAL;
  }
  counts[top] -= excess;
  return new Frequencies(first + from, counts);
}
var sumOf = (counts) => counts.reduce((sum, count) => sum + count, 0);

// mae_viz/browser/js/gains.js
function gainsOf(layers, tensor) {
  const made = layers.map((name) => [
    name,
    (name === "s" ? scales : perceptron)((part) => tensor(`gains.${name}.${part}`))
  ]);
  return (lmbda) => Object.fromEntries(made.map(([name, gains]) => [name, gains(lmbda)]));
}
function perceptron(tensor) {
  const [w1, b1, w2, b2] = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"].map((part) => tensor(part).values);
  return (lmbda) => {
    const hidden = Float64Array.from(b1, (bias, i) => Math.max(0, w1[i] * lmbda / LMBDA_MAX + bias));
    return Float32Array.from(b2, (bias, c) => {
      let sum = bias;
      for (let i = 0; i < hidden.length; i++) sum += w2[c * hidden.length + i] * hidden[i];
      return Math.exp(sum);
    });
  };
}
function scales(tensor) {
  const octaves = tensor("octaves").values;
  const { shape, values } = tensor("log_scale");
  const [, channels] = shape;
  return (lmbda) => {
    const t = Math.log2(lmbda / LMBDA_MIN);
    let upper = octaves.findIndex((octave) => octave >= t - 1e-9);
    if (upper < 0) upper = octaves.length - 1;
    const lower = Math.max(0, octaves[upper] > t ? upper - 1 : upper);
    const share = upper > lower ? (t - octaves[lower]) / (octaves[upper] - octaves[lower]) : 0;
    const at = (row, c) => values[row * channels + c];
    return Float32Array.from(
      { length: channels },
      (_, c) => Math.exp(at(lower, c) + share * (at(upper, c) - at(lower, c)))
    );
  };
}

// mae_viz/browser/js/hyper.js
var BITS = 12;
var LIMIT2 = 2 ** 24;
var HALO = 2;
var STRIP_PLACES = 512;
var GAIN_STEP = 4;
var LAYERS = 3;
var SCALE = 4;
var IntegerHyperSynthesis = class {
  /** `tensor`: name → {shape, values}, as the exported file has them. `layers(v, size, gains)`: a promise of what the
   *  graph makes of v, Float64Array (C, h, w). */
  constructor(tensor, channels, layers) {
    const own = (name) => tensor(`hyper.${name}`).values;
    this.channels = channels;
    this.layers = layers;
    this.gains = own("gains");
    this.medians = own("medians");
    this.thresholds = own("thresholds");
    this.rows = own("rows");
    this.gaussians = new EntropyTables((name) => own(`gaussian.${name}`));
  }
  #last = null;
  // a file is written, read and priced one after the other: what it asks is computed once
  /** The tables of all scale indexes. */
  models() {
    return this.gaussians.at(0);
  }
  /** Scale indexes, a promise of Uint8Array (C, 4 h, 4 w), of the latents whose side information is z, Int32Array
   *  (C, h, w), at a rate index. `look` is shown each strip of rows as it is done; what it throws ends the work. */
  async indexes(z, height, width, index, look = () => {
  }) {
    const asked = [height, width, index];
    if (this.#last && asked.every((v, i) => v === this.#last.asked[i]) && z.every((v, i) => v === this.#last.z[i])) {
      look(this.#last.out);
      return this.#last.out;
    }
    const out = await this.#computed(z, height, width, index, look);
    this.#last = { asked, z: z.slice(), out };
    return out;
  }
  async #computed(z, height, width, index, look) {
    const { channels } = this;
    const out = new Uint8Array(channels * SCALE * height * SCALE * width);
    const medians = this.#mediansAt(index);
    const gains = this.#gainsAt(index);
    const rows = Math.max(Math.floor(STRIP_PLACES / width), 4 * HALO);
    for (let top = 0; top < height; top += rows) {
      const end = Math.min(top + rows, height);
      const above = Math.max(top - HALO, 0);
      const below = Math.min(end + HALO, height);
      const h = below - above;
      const v = new Float64Array(channels * h * width);
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < h * width; i++)
          v[c * h * width + i] = clipped(z[(c * height + above) * width + i] * 2 ** BITS + medians[c]);
      const { values } = await this.layers(v, [channels, h, width], gains);
      const w = SCALE * width;
      const places = SCALE * (end - top) * w;
      const strip = new Uint8Array(channels * places);
      for (let c = 0; c < channels; c++) {
        const first = SCALE * (c * h + top - above) * w;
        for (let i = 0; i < places; i++) strip[c * places + i] = this.#scale(values[first + i]);
        out.set(strip.subarray(c * places, (c + 1) * places), SCALE * (c * height + top) * w);
      }
      look(strip);
    }
    return out;
  }
  /** How many thresholds lie at or below a value. */
  #scale(v) {
    let low = 0;
    let high = this.thresholds.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.thresholds[middle] <= v) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  #mediansAt(index) {
    const { below, a, b } = between(this.rows, index);
    const row = (i) => this.medians.subarray(i * this.channels, (i + 1) * this.channels);
    if (index === a) return row(below);
    const after = row(below + 1);
    return row(below).map((median, c) => Math.floor(((b - index) * median + (index - a) * after[c]) / (b - a)));
  }
  /** Gains of each layer, by the names that the graph has for them. */
  #gainsAt(index) {
    const per = LAYERS * this.channels;
    const steps = this.gains.length / per;
    const entry = Math.floor((index - this.rows[0]) / GAIN_STEP);
    const rest = (index - this.rows[0]) % GAIN_STEP;
    const after = Math.min(entry + 1, steps - 1);
    const ofLayer = (layer) => Float64Array.from({ length: this.channels }, (_, c) => {
      const at = (step) => this.gains[step * per + layer * this.channels + c];
      return Math.floor(((GAIN_STEP - rest) * at(entry) + rest * at(after) + GAIN_STEP / 2) / GAIN_STEP);
    });
    return Object.fromEntries(Array.from({ length: LAYERS }, (_, layer) => [`gains_${layer}`, ofLayer(layer)]));
  }
};
var clipped = (v) => Math.min(Math.max(v, -LIMIT2), LIMIT2);

// mae_viz/browser/js/safetensors.js
var ARRAYS = { F32: Float32Array, I32: Int32Array, F16: Uint16Array };
function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + (bytes.length < 8 ? Infinity : Number(view.getBigUint64(0, true)));
  if (start > bytes.length) throw new Error("the model's tables are cut off: load them again.");
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const tensors = /* @__PURE__ */ new Map();
  for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries(entries)) {
    const [from, to] = ends.map((offset) => start + offset);
    if (!(dtype in ARRAYS)) throw new Error(`${name} has the type ${dtype}, which this program does not read.`);
    if (to > bytes.length) throw new Error("the model's tables are cut off: load them again.");
    const values = new ARRAYS[dtype](view.buffer.slice(view.byteOffset + from, view.byteOffset + to));
    tensors.set(name, { shape, values: dtype === "F16" ? widened(values) : values });
  }
  return { tensors, metadata };
}
function widened(halves) {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const bits = halves[i];
    const exponent = bits >> 10 & 31;
    const fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? fraction ? NaN : Infinity : (1024 + fraction) * 2 ** (exponent - 25);
    out[i] = bits & 32768 ? -size : size;
  }
  return out;
}

// mae_viz/browser/js/model.js
var LIMIT3 = 2 ** 24;
var Model = class {
  /** `bytes` of the file; `layers`: those of h_s, as `IntegerHyperSynthesis` takes them, where there is a hyperprior.
   *  Throws an Error where the file is damaged or no such file. */
  constructor(bytes, layers) {
    const { tensors, metadata } = readSafetensors(bytes);
    if (!metadata.mae_viz)
      throw new Error("these are no tables of a model: load what mae-viz export-onnx has written.");
    const tensor = (name) => {
      if (!tensors.has(name)) throw new Error(`the model's tables lack ${name}: load them again.`);
      return tensors.get(name);
    };
    this.facts = JSON.parse(metadata.mae_viz);
    this.tables = new EntropyTables((name) => tensor(`tables.${name}`).values);
    this.hyper = tensors.has("hyper.gains") ? new IntegerHyperSynthesis(tensor, this.facts.channels, layers) : null;
    this.medianRows = tensor("medians").values;
    this.gains = gainsOf(this.facts.layers, tensor);
  }
  /** The rate index nearest to λ. Throws a RangeError for a λ that the model was not trained for. */
  near(lmbda) {
    const index = indexNear(lmbda);
    const [low, high] = [this.facts.lmbdas[0], this.facts.lmbdas.at(-1)];
    if (!(low <= lmbdaAt(index) && lmbdaAt(index) <= high)) {
      const span = low === high ? `λ = ${low} alone` : `${low} ≤ λ ≤ ${high}`;
      throw new RangeError(`λ = ${lmbda} is outside what ${this.facts.name} was trained for: ${span}.`);
    }
    return index;
  }
  /** Medians of the channels that the factorised prior codes, Float32Array, at a rate index. */
  medians(index) {
    const { channels } = this.facts;
    const { below, a, b } = between(this.tables.rows, index);
    const row = (i) => this.medianRows.subarray(i * channels, (i + 1) * channels);
    if (index === a) return row(below);
    const fraction = Math.fround((index - a) / (b - a));
    const after = row(below + 1);
    return row(below).map((low, c) => {
      const step = Math.fround(after[c] - low);
      return fraction < 0.5 ? low + Math.fround(fraction * step) : after[c] - Math.fround((1 - fraction) * step);
    });
  }
  /** Symbols of latents y, Float32Array (C, h, w), and of side information z where there is one: those of y, with a
   *  hyperprior those of z before them. */
  quantise(y, z, index) {
    const first = this.hyper ? z : y;
    const medians = this.medians(index);
    const places = first.length / medians.length;
    const symbols = new Int32Array(first.length);
    for (let c = 0; c < medians.length; c++)
      for (let i = c * places; i < (c + 1) * places; i++) symbols[i] = rounded(Math.fround(first[i] - medians[c]));
    if (!this.hyper) return [symbols];
    const outer = new Int32Array(y.length);
    for (let i = 0; i < y.length; i++) outer[i] = rounded(y[i]);
    return [symbols, outer];
  }
  /** ŷ of symbols of y, Float32Array (C, …) of any part of the places, which becomes it. */
  dequantise(values, index) {
    if (this.hyper) return values;
    const medians = this.medians(index);
    const places = values.length / medians.length;
    for (let c = 0; c < medians.length; c++)
      for (let i = c * places; i < (c + 1) * places; i++) values[i] += medians[c];
    return values;
  }
  /** The `.mae` file of symbols, a promise, for a picture of this size. Throws a RangeError for symbols that no file
   *  holds. */
  async write(groups, index, width, height) {
    const encoder = new SymbolEncoder();
    encoder.add(groups[0], this.tables.at(index));
    if (this.hyper) {
      const [h, w] = this.places(width, height);
      const gaussians = this.hyper.models();
      for (const { scale, places } of byScale(await this.hyper.indexes(groups[0], h, w, index)))
        encoder.add(
          Int32Array.from(places, (place) => groups[1][place]),
          [gaussians[scale]]
        );
    }
    const stream = { fingerprint: this.facts.fingerprint, index, width, height, ...encoder.sections() };
    return pack({ ...stream, symbolsCrc: checksum(stream, groups) });
  }
  /** Symbols of a parsed file, a promise. Throws a StreamError where they do not match its checksum. */
  async read(stream) {
    if (stream.fingerprint !== this.facts.fingerprint)
      throw new StreamError(`the file was made with model ${stream.fingerprint}, not with ${this.facts.name}.`);
    const { channels } = this.facts;
    const [h, w] = this.places(stream.width, stream.height);
    const decoder = new SymbolDecoder(stream);
    const models = this.#tablesOf(stream.index);
    decoder.checkRoom(models, new Array(channels).fill(h * w));
    const groups = [decoder.take(models, h * w)];
    if (this.hyper) {
      const gaussians = this.hyper.models();
      const look = (strip) => {
        const counts = new Array(gaussians.length).fill(0);
        for (const scale of strip) counts[scale]++;
        decoder.checkRoom(gaussians, counts);
      };
      const indexes = await this.hyper.indexes(groups[0], h, w, stream.index, look);
      const y = new Int32Array(indexes.length);
      for (const { scale, places } of byScale(indexes)) {
        const symbols = decoder.take([gaussians[scale]], places.length);
        for (let i = 0; i < places.length; i++) y[places[i]] = symbols[i];
      }
      groups.push(y);
    }
    decoder.finish();
    if (checksum(stream, groups) !== stream.symbolsCrc)
      throw new StreamError("the decoded symbols do not match their checksum: the file or the model is damaged.");
    return groups;
  }
  /** Rows and columns of what the factorised prior codes, for a picture of this size. */
  places(width, height) {
    return [height, width].map((side) => Math.ceil(side / this.facts.stride));
  }
  /** Rows and columns of the latents. */
  latents(width, height) {
    return this.places(width, height).map((side) => side * this.facts.stride / this.facts.latent);
  }
  #tablesOf(index) {
    try {
      return this.tables.at(index);
    } catch (error) {
      throw new StreamError(`the file does not fit its model: ${error.message}`);
    }
  }
};
var rounded = (v) => roundEven(Math.min(Math.max(v, -LIMIT3), LIMIT3));
function* byScale(indexes) {
  const counts = new Array(256).fill(0);
  for (const scale of indexes) counts[scale]++;
  const ends = new Array(256).fill(0);
  for (let scale = 1; scale < 256; scale++) ends[scale] = ends[scale - 1] + counts[scale - 1];
  const order = new Uint32Array(indexes.length);
  for (let place = 0; place < indexes.length; place++) order[ends[indexes[place]]++] = place;
  for (let scale = 0; scale < 256; scale++)
    if (counts[scale]) yield { scale, places: order.subarray(ends[scale] - counts[scale], ends[scale]) };
}

// mae_viz/browser/js/tiles.js
async function breath(signal) {
  if (signal) await new Promise((done) => setTimeout(done));
  signal?.throwIfAborted();
}
async function overTiles({ height, width, tile, unit, halo }, transform, put, { progress, signal } = {}) {
  const down = Math.ceil(height / tile);
  const across = Math.ceil(width / tile);
  const even = (side, count) => Math.ceil(side / count / unit) * unit;
  const [rows, columns] = [even(height, down), even(width, across)];
  for (let number = 0; number < down * across; number++) {
    await breath(signal);
    const top = Math.floor(number / across) * rows;
    const left = number % across * columns;
    const inner = { top, left, bottom: Math.min(top + rows, height), right: Math.min(left + columns, width) };
    const cut = {
      top: Math.max(top - halo, 0),
      left: Math.max(left - halo, 0),
      bottom: Math.min(inner.bottom + halo, height),
      right: Math.min(inner.right + halo, width)
    };
    put(await transform(cut), cut, inner);
    progress?.((number + 1) / (down * across));
  }
}
function cutPixels({ pixels, width, height, channels }, { top, left, bottom, right }) {
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
function cutPlanes(planes, height, width, { top, left, bottom, right }) {
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
function putPlanes(out, height, width, planes, cut, inner) {
  const channels = out.length / (height * width);
  const rows = cut.bottom - cut.top;
  const columns = cut.right - cut.left;
  for (let c = 0; c < channels; c++)
    for (let y = inner.top; y < inner.bottom; y++) {
      const from = (c * rows + y - cut.top) * columns - cut.left;
      out.set(planes.subarray(from + inner.left, from + inner.right), (c * height + y) * width + inner.left);
    }
}
function putPixels({ pixels, width, height }, planes, cut, inner) {
  const rows = cut.bottom - cut.top;
  const columns = cut.right - cut.left;
  const right = Math.min(inner.right, width);
  for (let y = inner.top; y < Math.min(inner.bottom, height); y++)
    for (let x = inner.left; x < right; x++) {
      const to = 4 * (y * width + x);
      const from = (y - cut.top) * columns + x - cut.left;
      for (let c = 0; c < 3; c++) pixels[to + c] = Math.fround(planes[c * rows * columns + from] * 255);
      pixels[to + 3] = 255;
    }
}

// mae_viz/browser/js/transforms.js
var ERRORS = 3;
var EXACT = "h_s";
var last = Promise.resolve();
function inTurn(work) {
  const done = last.then(work);
  last = done.catch(() => {
  });
  return done;
}
var Transforms = class {
  #ort;
  #exact;
  #load;
  #options;
  #sessions = /* @__PURE__ */ new Map();
  /** `ort`: onnxruntime-web, however it was imported. `load(part)`: a promise of a graph's bytes. `options`: of the
   *  sessions, such as {executionProviders: ["webgpu", "wasm"]}; and `exact()`, the onnxruntime-web that knows float64,
   *  or a promise of it, where `ort` does not. */
  constructor(ort, load, { exact = () => ort, ...options } = {}) {
    this.#ort = ort;
    this.#exact = exact;
    this.#load = load;
    this.#options = { executionProviders: ["wasm"], logSeverityLevel: ERRORS, ...options };
  }
  /** Make a transform ready to run: a promise of its session, and of the onnxruntime that it is one of. */
  ready(part) {
    if (!this.#sessions.has(part)) {
      const opened2 = this.#open(part);
      opened2.catch(() => this.#sessions.delete(part));
      this.#sessions.set(part, opened2);
    }
    return this.#sessions.get(part);
  }
  async #open(part) {
    const [bytes, ort] = await Promise.all([this.#load(part), part === EXACT ? this.#exact() : this.#ort]);
    const options = ort === this.#ort ? this.#options : { ...this.#options, executionProviders: ["wasm"] };
    return { ort, session: await inTurn(() => ort.InferenceSession.create(bytes, options)) };
  }
  /** What a part makes of `values`, Float32Array (channels, height, width), for h_s Float64Array: {values, height,
   *  width}. `rate`: {lmbda, and gains of layers by their names}, of which it takes the inputs that the graph has. */
  async run(part, values, [channels, height, width], rate) {
    const { ort, session } = await this.ready(part);
    return inTurn(async () => {
      const inputs = {};
      const [source, ...others] = session.inputNames;
      const tensor = (given, sides) => new ort.Tensor(given instanceof Float64Array ? "float64" : "float32", given, sides);
      inputs[source] = tensor(values, [1, channels, height, width]);
      for (const name of others) {
        const given = typeof rate[name] === "number" ? Float32Array.of(rate[name]) : rate[name];
        inputs[name] = tensor(given, [given.length]);
      }
      const output = (await session.run(inputs))[session.outputNames[0]];
      const found = { values: await output.getData(), height: output.dims[2], width: output.dims[3] };
      output.dispose();
      return found;
    });
  }
  /** Free what the sessions hold; nothing of them may be under way. */
  async release() {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const opening of sessions) {
      const { session } = await opening;
      await inTurn(() => session.release());
    }
  }
};

// mae_viz/browser/js/codec.js
var TILE = 512;
var Codec = class _Codec {
  /**
   * `ort`: onnxruntime-web. `load(file)`: a promise of the bytes of "tables", or of a transform ("g_a", "g_s", "h_a",
   * "h_s"), asked for when it is first needed. `options`: of onnxruntime's sessions. `tile`: pixels, a multiple of the
   * stride.
   */
  static async open({ ort, load, options, tile = TILE }) {
    const transforms = new Transforms(ort, load, options);
    const layers = (values, size, gains) => transforms.run("h_s", values, size, gains);
    return new _Codec(new Model(await load("tables"), layers), transforms, tile);
  }
  constructor(model, transforms, tile) {
    this.model = model;
    this.transforms = transforms;
    this.tile = tile;
  }
  /** name, title, fingerprint (hex), channels, lmbdas and parts of the model. */
  get facts() {
    return this.model.facts;
  }
  /** Load all transforms, so that the first picture need not wait for them. */
  async prepare() {
    await Promise.all(this.facts.parts.map((part) => this.transforms.ready(part)));
  }
  /**
   * A picture as a `.mae` file. `pixels`: 8-bit RGB or RGBA, row by row, alpha ignored, as ImageData has them; `lmbda`:
   * 64…4096, moved to the nearest that a file can name. `progress` hears the fraction done; `signal`, an AbortSignal,
   * ends it between two tiles. Gives {bytes, index, lmbda, y, symbols}: y, Float32Array (C, h, w), before quantisation,
   * symbols, Int32Arrays: those of y, with a hyperprior those of z before them. `hand`: what a person has changed, see
   * `rate`. Throws a RangeError for a λ that the model was not trained for, or for pixels that are not as many as the
   * size says.
   */
  async encode({ pixels, width, height, lmbda, hand }, { progress, signal } = {}) {
    const index = this.model.near(lmbda);
    const y = await this.analyse({ pixels, width, height }, this.rate(index, hand), { progress, signal });
    const symbols = await this.quantise(y, width, height, index);
    for (const channel of hand?.off ?? []) {
      const places = y.length / this.facts.channels;
      symbols.at(-1).fill(0, channel * places, (channel + 1) * places);
    }
    signal?.throwIfAborted();
    const bytes = await this.model.write(symbols, index, width, height);
    return { bytes, index, lmbda: lmbdaAt(index), y, symbols };
  }
  /**
   * The picture in a `.mae` file: {pixels, width, height, index, lmbda, symbols}, pixels as RGBA for an ImageData.
   * `progress`, `signal` and `hand` as for `encode`. Throws a StreamError for a damaged file or one of another model.
   */
  async decode(bytes, { progress, signal, hand } = {}) {
    const stream = parse(bytes);
    const symbols = await this.model.read(stream);
    const { width, height, index } = stream;
    const pixels = await this.synthesise(symbols, width, height, index, { progress, signal, hand });
    return { pixels, width, height, index, lmbda: lmbdaAt(index), symbols };
  }
  /** What the transforms are told at a rate index: {lmbda, and gains of layers by their names}. `hand`: {factors:
   *  {layer: {channel: factor}}, off: channels of y whose symbols are 0}, both optional. */
  rate(index, { factors = {} } = {}) {
    const lmbda = lmbdaAt(index);
    const gains = this.model.gains(lmbda);
    for (const [layer, changed] of Object.entries(factors))
      for (const [channel, factor] of Object.entries(changed)) gains[layer][channel] *= factor;
    return { lmbda, ...gains };
  }
  /** y = g_a(x, λ), Float32Array (C, h, w), as `rate` has it. */
  async analyse({ pixels, width, height }, rate, looks) {
    const channels = pixels.length / (width * height);
    if (channels !== 3 && channels !== 4)
      throw new RangeError(`${pixels.length} bytes are no RGB or RGBA picture of ${width} × ${height} pixels.`);
    const { latent, analysis_halo: halo, stride } = this.facts;
    const [h, w] = this.model.latents(width, height);
    const y = new Float32Array(this.facts.channels * h * w);
    const field = { height: h * latent, width: w * latent, tile: this.tile, unit: latent, halo };
    const analysis = async (cut) => {
      const size = [3, cut.bottom - cut.top, cut.right - cut.left];
      const x = cutPixels({ pixels, width, height, channels }, cut);
      return (await this.transforms.run("g_a", x, size, rate)).values;
    };
    const put = (values, cut, inner) => putPlanes(y, h, w, values, scaled2(cut, 1 / latent), scaled2(inner, 1 / latent));
    if (this.tile % stride) throw new RangeError(`tiles must be multiples of ${stride} pixels.`);
    await overTiles(field, analysis, put, looks);
    return y;
  }
  /** Symbols of y: those of y, with a hyperprior those of z before them. */
  async quantise(y, width, height, index) {
    const size = [this.facts.channels, ...this.model.latents(width, height)];
    const z = this.model.hyper && (await this.transforms.run("h_a", y, size, this.rate(index))).values;
    return this.model.quantise(y, z, index);
  }
  /** The picture that symbols stand for at a rate index, RGBA. */
  async synthesise(symbols, width, height, index, { hand, ...looks } = {}) {
    const rate = this.rate(index, hand);
    const { channels, latent, synthesis_halo: halo } = this.facts;
    const [h, w] = this.model.latents(width, height);
    const pixels = new Uint8ClampedArray(4 * width * height);
    const field = { height: h, width: w, tile: this.tile / latent, unit: 1, halo };
    const synthesis = async (cut) => {
      const size = [channels, cut.bottom - cut.top, cut.right - cut.left];
      const yHat = this.model.dequantise(cutPlanes(symbols.at(-1), h, w, cut), index);
      return (await this.transforms.run("g_s", yHat, size, rate)).values;
    };
    const put = (values, cut, inner) => putPixels({ pixels, width, height }, values, scaled2(cut, latent), scaled2(inner, latent));
    await overTiles(field, synthesis, put, looks);
    return pixels;
  }
  /** Free what the model holds in onnxruntime. */
  release() {
    return this.transforms.release();
  }
};
var scaled2 = ({ top, left, bottom, right }, by) => ({
  top: top * by,
  left: left * by,
  bottom: bottom * by,
  right: right * by
});

// mae_viz/browser/js/library.js
var Library = class {
  #codecs = /* @__PURE__ */ new Map();
  /** `models`: those that there are, each with at least {name, fingerprint (hex), files}, files by what is in them:
   *  "tables" or a transform; `load(file)`: a promise of a file's bytes; `ort`, `options` and `tile` as for
   *  `Codec.open`. */
  constructor({ ort, models, load, options, tile }) {
    this.models = models;
    this.settings = { ort, options, tile };
    this.load = load;
  }
  /** The codec of a model. Throws a RangeError for a name that is not there. */
  async codec(name) {
    const model = this.models.find((found) => found.name === name);
    if (!model)
      throw new RangeError(`no model named ${name}: choose one of ${this.models.map((m) => m.name).join(", ")}.`);
    if (!this.#codecs.has(name)) {
      const opened2 = Codec.open({ ...this.settings, load: (part) => this.load(model.files[part]) });
      opened2.catch(() => this.#codecs.delete(name));
      this.#codecs.set(name, opened2);
    }
    return this.#codecs.get(name);
  }
  /** Load a model and make its transforms ready, before a picture asks for them. */
  async prepare(name) {
    await (await this.codec(name)).prepare();
  }
  /** A picture as a `.mae` file: as `Codec.encode`, with the name of a `model` in what it takes and gives. */
  async encode({ model, ...source }, looks) {
    return { model, ...await (await this.codec(model)).encode(source, looks) };
  }
  /** The picture in a `.mae` file, by the model that the file names: as `Codec.decode`, and `model`. */
  async decode(bytes, looks) {
    const { fingerprint } = parse(bytes);
    const found = this.models.find((model) => model.fingerprint === fingerprint);
    if (!found)
      throw new StreamError(`the file was made with model ${fingerprint}, which is not here: decode it with mae_viz.`);
    return { model: found.name, ...await (await this.codec(found.name)).decode(bytes, looks) };
  }
  /** Free what a model holds. */
  async close(name) {
    const codec = this.#codecs.get(name);
    this.#codecs.delete(name);
    if (codec) await (await codec).release();
  }
};

// mae_viz/browser/js/worker.js
var library;
var frames;
var controls = /* @__PURE__ */ new Map();
var CALLS = {
  prepare: (argument) => library.then((open) => open.prepare(argument)),
  encode: (argument, looks) => library.then((open) => open.encode(argument, looks)),
  decode: (argument, looks) => library.then((open) => open.decode(argument, looks)),
  close: (argument) => library.then((open) => open.close(argument)),
  keep: (argument) => frames.then((open) => open.keep(argument)),
  forget: (argument) => frames.then((open) => open.forget(argument)),
  frame: (argument, looks) => frames.then((open) => open.frame(argument, looks))
};
async function opened({ base, runtime, exact, models, threads, tile }) {
  const load = (file) => fetched(file, new URL(file, base));
  const started = async ({ module, glue, wasm }) => {
    const [{ env, ...ort2 }, binary] = await Promise.all([import(new URL(module, base).href), load(wasm)]);
    env.wasm.wasmPaths = { mjs: new URL(glue, base).href };
    env.wasm.wasmBinary = binary;
    env.wasm.numThreads = self.crossOriginIsolated ? threads : 1;
    return ort2;
  };
  const ort = await started(runtime);
  const options = { executionProviders: runtime.providers };
  if (exact.module !== runtime.module) {
    let other;
    options.exact = () => {
      other ??= started(exact);
      other.catch(() => {
        other = void 0;
      });
      return other;
    };
  }
  return new Library({ ort, models, load, tile, options });
}
async function fetched(file, address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${file} cannot be loaded (${response.status}): reload the page.`);
  const length = response.headers.get("Content-Encoding") ? null : response.headers.get("Content-Length");
  const total = length === null ? null : Number(length);
  const parts = [];
  let received = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    self.postMessage({ loading: { file, received, total } });
  }
  let blob = new Blob(parts);
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  if (first === 31 && second === 139)
    blob = await new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  return new Uint8Array(await blob.arrayBuffer());
}
async function answer({ id, call, argument }) {
  const control = new AbortController();
  controls.set(id, control);
  const progress = (done) => self.postMessage({ id, progress: done });
  try {
    const result = await CALLS[call](argument, { progress, signal: control.signal });
    self.postMessage({ id, result }, [...new Set(memoryOf(result))]);
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, message: error.message } });
  }
  controls.delete(id);
}
function memoryOf(value) {
  if (ArrayBuffer.isView(value)) return [value.buffer];
  return value && typeof value === "object" ? Object.values(value).flatMap(memoryOf) : [];
}
self.onmessage = ({ data }) => {
  if (data.open) {
    library = opened(data.open);
    frames = library.then((open) => new Frames(open));
    frames.catch(() => {
    });
  } else if (data.cancel) controls.get(data.cancel)?.abort();
  else answer(data);
};
