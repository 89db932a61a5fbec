// What the symbols of a file cost: −log₂ of the share that its own tables give each, with the bytes of escapes.

/** Bits of every latent, Float32Array (C, h, w), and of side information z where there is one. `groups`: symbols as
 *  `Model.quantise` gives them. */
export function bitsOf(model, groups, index, width, height) {
  const first = costs(groups[0], model.tables.at(index));
  if (!model.hyper) return { y: first, z: null };
  const gaussians = model.hyper.models();
  const scales = model.hyper.indexes(groups[0], ...model.places(width, height), index);
  return { y: Float32Array.from(groups[1], (symbol, i) => cost(symbol, gaussians[scales[i]])), z: first };
}

function costs(symbols, models) {
  const places = symbols.length / models.length;
  return Float32Array.from(symbols, (symbol, i) => cost(symbol, models[Math.floor(i / places)]));
}

function cost(symbol, { first, outside, bounds }) {
  const entry = symbol - first;
  const inside = entry >= 0 && entry < outside;
  const at = inside ? entry : outside;
  const bits = Math.log2(bounds[bounds.length - 1]) - Math.log2(bounds[at + 1] - bounds[at]);
  if (inside) return bits;
  let code = entry < 0 ? -2 * entry - 1 : 2 * (entry - outside + 1);
  let bytes = 1;
  for (; code >= 128; code >>>= 7) bytes++;
  return bits + 8 * bytes;
}

/** Bits of each place (h, w): all channels of y together, and its share of z's. `shape`: of y. */
export function byPlace({ y, z }, [channels, h, w]) {
  const out = new Float32Array(h * w);
  for (let c = 0; c < channels; c++) for (let i = 0; i < h * w; i++) out[i] += y[c * h * w + i];
  if (!z) return out;
  const per = z.length / channels;
  const ratio = Math.sqrt((h * w) / per);
  const columns = w / ratio;
  const own = new Float32Array(per);
  for (let c = 0; c < channels; c++) for (let i = 0; i < per; i++) own[i] += z[c * per + i];
  for (let row = 0; row < h; row++)
    for (let column = 0; column < w; column++)
      out[row * w + column] += own[Math.floor(row / ratio) * columns + Math.floor(column / ratio)] / ratio ** 2;
  return out;
}

/** Bits of each channel of y, all places together. */
export function byChannel({ y }, channels) {
  const places = y.length / channels;
  return Float64Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = c * places; i < (c + 1) * places; i++) sum += y[i];
    return sum;
  });
}
