// Picture ↔ `.mae` bytes with one model: what mae_viz/coding/coder.py does, in a browser or in Node.
import { parse } from "./bitstream.js";
import { Model } from "./model.js";
import { lmbdaAt } from "./rates.js";
import { cutPixels, cutPlanes, overTiles, putPixels, putPlanes } from "./tiles.js";
import { Transforms } from "./transforms.js";

const TILE = 512; // side of a tile in pixels, without its halo

/** One model, ready to code. All methods may be called at once: the transforms run one after the other. */
export class Codec {
  /**
   * `ort`: onnxruntime-web. `load(file)`: a promise of the bytes of "tables", or of a transform ("g_a", "g_s", "h_a",
   * "h_s"), asked for when it is first needed. `options`: of onnxruntime's sessions. `tile`: pixels, a multiple of the
   * stride.
   */
  static async open({ ort, load, options, tile = TILE }) {
    const transforms = new Transforms(ort, load, options);
    const layers = (values, size, gains) => transforms.run("h_s", values, size, gains);
    return new Codec(new Model(await load("tables"), layers), transforms, tile);
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
    const put = (values, cut, inner) => putPlanes(y, h, w, values, scaled(cut, 1 / latent), scaled(inner, 1 / latent));
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
    const put = (values, cut, inner) =>
      putPixels({ pixels, width, height }, values, scaled(cut, latent), scaled(inner, latent));
    await overTiles(field, synthesis, put, looks);
    return pixels;
  }

  /** Free what the model holds in onnxruntime. */
  release() {
    return this.transforms.release();
  }
}

const scaled = ({ top, left, bottom, right }, by) => ({
  top: top * by,
  left: left * by,
  bottom: bottom * by,
  right: right * by,
});
