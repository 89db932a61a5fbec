// What integers and medians decide of one model: read from NAME.safetensors, which `mae-viz export-onnx` writes.
import { checksum, pack, StreamError, SymbolDecoder, SymbolEncoder } from "./bitstream.js";
import { between, EntropyTables } from "./entropy_tables.js";
import { gainsOf } from "./gains.js";
import { IntegerHyperSynthesis } from "./hyper.js";
import { indexNear, lmbdaAt } from "./rates.js";
import { roundEven } from "./rounding.js";
import { readSafetensors } from "./safetensors.js";

const LIMIT = 2 ** 24; // of symbols

export class Model {
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
    /** name, title, fingerprint (hex), channels, lmbdas, parts, and in pixels stride, latent and analysis_halo, in
     *  latents synthesis_halo. */
    this.facts = JSON.parse(metadata.mae_viz);
    this.tables = new EntropyTables((name) => tensor(`tables.${name}`).values);
    this.hyper = tensors.has("hyper.gains") ? new IntegerHyperSynthesis(tensor, this.facts.channels, layers) : null;
    this.medianRows = tensor("medians").values;
    /** λ → {layer: gains}. */
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
    // as torch.lerp has it: from the nearer end
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
          [gaussians[scale]],
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
    return this.places(width, height).map((side) => (side * this.facts.stride) / this.facts.latent);
  }

  #tablesOf(index) {
    try {
      return this.tables.at(index);
    } catch (error) {
      throw new StreamError(`the file does not fit its model: ${error.message}`);
    }
  }
}

/** What no table and no escape code holds would not be a number either. */
const rounded = (v) => roundEven(Math.min(Math.max(v, -LIMIT), LIMIT));

/** Each scale index that occurs with its places, Uint32Arrays, in coding order. */
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
