// What the symbols of a file cost: −log₂ of the share that its own tables give each, with the bytes of escapes.

/** Bits of every latent, a promise of Float32Array (C, h, w), and of side information z where there is one. `groups`:
 *  symbols as `Model.quantise` gives them. */
export async function bitsOf(model, groups, index, width, height) {
  const models = model.tables.at(index);
  const places = groups[0].length / models.length;
  const first = new Float32Array(groups[0].length);
  models.forEach((table, c) => {
    const costs = costsOf(table);
    for (let i = c * places; i < (c + 1) * places; i++) first[i] = cost(groups[0][i], table, costs);
  });
  if (!model.hyper) return { y: first, z: null };
  const gaussians = model.hyper.models();
  const costs = gaussians.map(costsOf);
  const scales = await model.hyper.indexes(groups[0], ...model.places(width, height), index);
  const y = new Float32Array(groups[1].length);
  for (let i = 0; i < y.length; i++) y[i] = cost(groups[1][i], gaussians[scales[i]], costs[scales[i]]);
  return { y, z: first };
}

/** Bits of each entry of a table, the escape's last. */
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
