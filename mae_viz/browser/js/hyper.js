// The hyperprior's decoder in exact integers: mae_viz/coding/hyper.py says what it computes. Numbers are float64, whose
// sums below 2^53 are exact and so the same in any order; the model's own check keeps them below 2^52.
//
// A layer is a product of matrices, kernels × inputs of every place. A transposed convolution of stride 2 is four of
// them, one for each phase of its outputs.
import { between, EntropyTables } from "./entropy_tables.js";
import { roundEven } from "./rounding.js";

const BITS = 12; // fractional bits of activations
const GAIN_BITS = 16;
const LIMIT = 2 ** 24; // of activations
const EXACT = 2 ** 52; // of sums
const HALO = 2; // rows of z around a strip that its indexes depend on
const STRIP_PLACES = 1024; // of z in a strip
const GAIN_STEP = 4; // rate indices between two stored gains
const LAYERS = [
  { transposed: true, least: -LIMIT },
  { transposed: true, least: 0 },
  { transposed: false, least: 0 },
]; // `least`: what the layer's inputs are cut to, after their gains; 0 is a ReLU

const ROWS = 4; // outputs,
const COLUMNS = 2; // and places, whose sums grow together
const BLOCK = 32; // places whose inputs lie ready at a time

/** h_s of one model and the tables that its indexes choose from. */
export class IntegerHyperSynthesis {
  /** `tensor`: name → {shape, values}, as the exported file has them. */
  constructor(tensor, channels) {
    const own = (name) => tensor(`hyper.${name}`).values;
    this.channels = channels;
    this.gains = own("gains"); // (steps, layers, C)
    this.medians = own("medians"); // (knots, C)
    this.thresholds = own("thresholds");
    this.rows = own("rows");
    this.gaussians = new EntropyTables((name) => own(`gaussian.${name}`));
    this.layers = LAYERS.map(
      (kind, i) => new Layer(tensor(`h_s.${i}.conv.weight`), tensor(`h_s.${i}.conv.bias`), own("shifts")[i], kind),
    );
  }

  #last = null; // a file is written, read and priced one after the other: what it asks is computed once

  /** The tables of all scale indexes. */
  models() {
    return this.gaussians.at(0);
  }

  /** Scale indexes, Uint8Array (C, 4 h, 4 w), of the latents whose side information is z, Int32Array (C, h, w), at a
   *  rate index. `look` is shown each strip of rows, {values, rows}, as it is done; what it throws ends the work. */
  indexes(z, height, width, index, look = () => {}) {
    const asked = [height, width, index];
    if (this.#last && asked.every((v, i) => v === this.#last.asked[i]) && z.every((v, i) => v === this.#last.z[i])) {
      look(this.#last.out);
      return this.#last.out;
    }
    const out = this.#computed(z, height, width, index, look);
    this.#last = { asked, z: z.slice(), out };
    return out;
  }

  #computed(z, height, width, index, look) {
    const { channels } = this;
    const out = new Uint8Array(channels * 16 * height * width);
    const medians = this.#mediansAt(index);
    const gains = this.#gainsAt(index);
    const rows = Math.max(Math.floor(STRIP_PLACES / width), 4 * HALO);
    for (let top = 0; top < height; top += rows) {
      const end = Math.min(top + rows, height);
      const above = Math.max(top - HALO, 0);
      const below = Math.min(end + HALO, height);
      let h = below - above;
      let w = width;
      let v = new Float64Array(channels * h * w);
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < h * w; i++)
          v[c * h * w + i] = clipped(z[(c * height + above) * width + i] * 2 ** BITS + medians[c], -LIMIT);
      this.layers.forEach((layer, i) => {
        v = layer.apply(v, h, w, gains[i]);
        h *= layer.stride;
        w *= layer.stride;
      });
      const strip = new Uint8Array(channels * 4 * (end - top) * w);
      const first = 4 * (top - above) * w;
      const places = 4 * (end - top) * w;
      for (let c = 0; c < channels; c++) {
        for (let i = 0; i < places; i++) strip[c * places + i] = this.#scale(v[c * h * w + first + i]);
        out.set(strip.subarray(c * places, (c + 1) * places), (c * 4 * height + 4 * top) * w);
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
      const middle = (low + high) >> 1;
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

  /** Gains of each layer. */
  #gainsAt(index) {
    const per = LAYERS.length * this.channels;
    const steps = this.gains.length / per;
    const entry = Math.floor((index - this.rows[0]) / GAIN_STEP);
    const rest = (index - this.rows[0]) % GAIN_STEP;
    const after = Math.min(entry + 1, steps - 1);
    return LAYERS.map((_, layer) =>
      Float64Array.from({ length: this.channels }, (_, c) => {
        const at = (step) => this.gains[step * per + layer * this.channels + c];
        return Math.floor(((GAIN_STEP - rest) * at(entry) + rest * at(after) + GAIN_STEP / 2) / GAIN_STEP);
      }),
    );
  }
}

/** One layer: gain, ReLU or none, convolution, each exact. */
class Layer {
  constructor({ shape, values }, bias, shift, { transposed, least }) {
    const [first, second, k] = shape;
    [this.outputs, this.inputs] = transposed ? [second, first] : [first, second];
    if (this.outputs % ROWS) this.outputs += ROWS - (this.outputs % ROWS);
    this.real = transposed ? second : first;
    this.stride = transposed ? 2 : 1;
    this.least = least;
    this.shift = shift;
    this.bias = Float64Array.from(bias.values, (v) => roundEven(v * 2 ** (shift + BITS)));
    const kernel = (out, input, row, column) => {
      const [a, b] = transposed ? [input, out] : [out, input];
      return out < this.real ? roundEven(values[((a * second + b) * k + row) * k + column] * 2 ** shift) : 0;
    };
    const axis = transposed ? [0, 1].map((r) => ofPhase(r, k)) : [ofPlain(k)];
    this.phases = axis.flatMap((rows, row) =>
      axis.map((columns, column) => {
        const taps = rows.flatMap((r) => columns.map((c) => ({ row: r, column: c })));
        return { row, column, taps, kernels: this.#packed(taps, kernel) };
      }),
    );
    for (let out = 0; out < this.real; out++) {
      let sum = Math.abs(this.bias[out]);
      for (let input = 0; input < this.inputs; input++)
        for (let tap = 0; tap < k * k; tap++) sum += Math.abs(kernel(out, input, Math.floor(tap / k), tap % k)) * LIMIT;
      if (!(sum < EXACT))
        throw new Error("the integers of this model's hyperprior contradict its weights: load them again.");
    }
  }

  /** v, Float64Array (inputs, h, w), → (outputs, stride · h, stride · w). */
  apply(v, h, w, gains) {
    const { stride, outputs, real, inputs, least, shift, bias } = this;
    const input = new Float64Array(v.length);
    for (let c = 0; c < inputs; c++)
      for (let i = c * h * w; i < (c + 1) * h * w; i++)
        input[i] = clipped(roundedShift(v[i] * gains[c], GAIN_BITS), least);
    const out = new Float64Array(real * stride * h * stride * w);
    const sums = new Float64Array(outputs * BLOCK);
    for (const { row, column, taps, kernels } of this.phases) {
      const depth = inputs * taps.length;
      const ready = new Float64Array(depth * BLOCK);
      for (let start = 0; start < h * w; start += BLOCK) {
        const places = Math.min(BLOCK, h * w - start);
        gather(ready, input, taps, inputs, h, w, start, places);
        multiply(sums, kernels, ready, outputs, depth);
        for (let o = 0; o < real; o++)
          for (let i = 0; i < places; i++) {
            const y = Math.floor((start + i) / w);
            const x = (start + i) % w;
            out[((o * h + y) * stride + row) * stride * w + stride * x + column] = clipped(
              roundedShift(sums[o * BLOCK + i] + bias[o], shift),
              -LIMIT,
            );
          }
      }
    }
    return out;
  }

  /** Kernels of some taps in the order in which `multiply` reads them. */
  #packed(taps, kernel) {
    const depth = this.inputs * taps.length;
    const out = new Float64Array(this.outputs * depth);
    for (let o = 0; o < this.outputs; o++)
      for (let input = 0; input < this.inputs; input++)
        taps.forEach(({ row, column }, i) => {
          const place = Math.floor(o / ROWS) * depth + input * taps.length + i;
          out[place * ROWS + (o % ROWS)] = kernel(o, input, row.tap, column.tap);
        });
    return out;
  }
}

/** Taps of a convolution along one axis, each with how far from the output the input that it reads lies. */
const ofPlain = (k) => Array.from({ length: k }, (_, tap) => ({ tap, offset: tap - (k - 1) / 2 }));

/** Those of outputs 2 q + r of a transposed one of stride 2, seen from input q. */
const ofPhase = (r, k) => Array.from({ length: Math.ceil((k - r) / 2) }, (_, i) => ({ tap: r + 2 * i, offset: 1 - i }));

/** The inputs of some places as `multiply` reads them: pairs of places, all inputs of a pair one after the other. */
function gather(ready, input, taps, inputs, h, w, start, places) {
  const depth = inputs * taps.length;
  for (let i = 0; i < BLOCK; i++) {
    const y = Math.floor((start + i) / w);
    const x = (start + i) % w;
    let place = Math.floor(i / COLUMNS) * depth * COLUMNS + (i % COLUMNS);
    for (let c = 0; c < inputs; c++)
      for (let t = 0; t < taps.length; t++, place += COLUMNS) {
        const row = y + taps[t].row.offset;
        const column = x + taps[t].column.offset;
        const inside = i < places && row >= 0 && row < h && column >= 0 && column < w;
        ready[place] = inside ? input[(c * h + row) * w + column] : 0;
      }
  }
}

/** sums (outputs, BLOCK) = kernels × ready, four outputs by two places at a time. */
function multiply(sums, kernels, ready, outputs, depth) {
  for (let o = 0; o < outputs; o += ROWS)
    for (let i = 0; i < BLOCK; i += COLUMNS) {
      let a = o * depth;
      let b = i * depth;
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (const end = b + COLUMNS * depth; b < end; a += ROWS, b += COLUMNS) {
        const left = ready[b];
        const right = ready[b + 1];
        const k0 = kernels[a];
        const k1 = kernels[a + 1];
        const k2 = kernels[a + 2];
        const k3 = kernels[a + 3];
        s00 += k0 * left;
        s01 += k0 * right;
        s10 += k1 * left;
        s11 += k1 * right;
        s20 += k2 * left;
        s21 += k2 * right;
        s30 += k3 * left;
        s31 += k3 * right;
      }
      const at = o * BLOCK + i;
      sums[at] = s00;
      sums[at + 1] = s01;
      sums[at + BLOCK] = s10;
      sums[at + BLOCK + 1] = s11;
      sums[at + 2 * BLOCK] = s20;
      sums[at + 2 * BLOCK + 1] = s21;
      sums[at + 3 * BLOCK] = s30;
      sums[at + 3 * BLOCK + 1] = s31;
    }
}

const clipped = (v, least) => Math.min(Math.max(v, least), LIMIT);

/** (v + half) >> bits, of whole numbers in float64. */
const roundedShift = (v, bits) => (bits ? Math.floor((v + 2 ** (bits - 1)) * 2 ** -bits) : v);
