// The hyperprior's decoder in exact integers: mae_viz/coding/hyper.py says what it computes. Its layers are a graph
// (mae_viz/browser/integers.py), whose numbers are whole ones in float64; here is what stands around them.
import { between, EntropyTables } from "./entropy_tables.js";

const BITS = 12; // fractional bits of activations
const LIMIT = 2 ** 24; // of activations
const HALO = 2; // rows of z around a strip that its indexes depend on
const STRIP_PLACES = 512; // of z in a strip
const GAIN_STEP = 4; // rate indices between two stored gains
const LAYERS = 3;
const SCALE = 4; // rows of latents to one of z

/** h_s of one model and the tables that its indexes choose from. */
export class IntegerHyperSynthesis {
  /** `tensor`: name → {shape, values}, as the exported file has them. `layers(v, size, gains)`: a promise of what the
   *  graph makes of v, Float64Array (C, h, w). */
  constructor(tensor, channels, layers) {
    const own = (name) => tensor(`hyper.${name}`).values;
    this.channels = channels;
    this.layers = layers;
    this.gains = own("gains"); // (steps, layers, C)
    this.medians = own("medians"); // (knots, C)
    this.thresholds = own("thresholds");
    this.rows = own("rows");
    this.gaussians = new EntropyTables((name) => own(`gaussian.${name}`));
  }

  #last = null; // a file is written, read and priced one after the other: what it asks is computed once

  /** The tables of all scale indexes. */
  models() {
    return this.gaussians.at(0);
  }

  /** Scale indexes, a promise of Uint8Array (C, 4 h, 4 w), of the latents whose side information is z, Int32Array
   *  (C, h, w), at a rate index. `look` is shown each strip of rows as it is done; what it throws ends the work. */
  async indexes(z, height, width, index, look = () => {}) {
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

  /** Gains of each layer, by the names that the graph has for them. */
  #gainsAt(index) {
    const per = LAYERS * this.channels;
    const steps = this.gains.length / per;
    const entry = Math.floor((index - this.rows[0]) / GAIN_STEP);
    const rest = (index - this.rows[0]) % GAIN_STEP;
    const after = Math.min(entry + 1, steps - 1);
    const ofLayer = (layer) =>
      Float64Array.from({ length: this.channels }, (_, c) => {
        const at = (step) => this.gains[step * per + layer * this.channels + c];
        return Math.floor(((GAIN_STEP - rest) * at(entry) + rest * at(after) + GAIN_STEP / 2) / GAIN_STEP);
      });
    return Object.fromEntries(Array.from({ length: LAYERS }, (_, layer) => [`gains_${layer}`, ofLayer(layer)]));
  }
}

const clipped = (v) => Math.min(Math.max(v, -LIMIT), LIMIT);
