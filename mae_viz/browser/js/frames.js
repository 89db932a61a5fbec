// Frames of the pictures that a page shows, made beside its models: see frame.js.
import { ofBrowser, ofModel, original } from "./frame.js";

export class Frames {
  #library;
  #pictures = new Map();

  constructor(library) {
    this.#library = library;
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
}
