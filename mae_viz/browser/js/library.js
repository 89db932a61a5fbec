// Several models behind one encoder and one decoder: each is opened when a picture or a file first asks for it.
import { parse, StreamError } from "./bitstream.js";
import { Codec } from "./codec.js";

export class Library {
  #codecs = new Map();

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
      const opened = Codec.open({ ...this.settings, load: (part) => this.load(model.files[part]) });
      opened.catch(() => this.#codecs.delete(name)); // so that it can be tried again
      this.#codecs.set(name, opened);
    }
    return this.#codecs.get(name);
  }

  /** Load a model and make its transforms ready, before a picture asks for them. */
  async prepare(name) {
    await (await this.codec(name)).prepare();
  }

  /** A picture as a `.mae` file: as `Codec.encode`, with the name of a `model` in what it takes and gives. */
  async encode({ model, ...source }, looks) {
    return { model, ...(await (await this.codec(model)).encode(source, looks)) };
  }

  /** The picture in a `.mae` file, by the model that the file names: as `Codec.decode`, and `model`. */
  async decode(bytes, looks) {
    const { fingerprint } = parse(bytes);
    const found = this.models.find((model) => model.fingerprint === fingerprint);
    if (!found)
      throw new StreamError(`the file was made with model ${fingerprint}, which is not here: decode it with mae_viz.`);
    return { model: found.name, ...(await (await this.codec(found.name)).decode(bytes, looks)) };
  }

  /** Free what a model holds. */
  async close(name) {
    const codec = this.#codecs.get(name);
    this.#codecs.delete(name);
    if (codec) await (await codec).release();
  }
}
