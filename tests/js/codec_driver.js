// What the tests in tests/test_browser_codec.py have the JavaScript codec do: node codec_driver.js TASK FOLDER reads
// FOLDER/in.json and writes FOLDER/out.json. Files of a model lie in the folder that in.json names it by.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-web";
import { parse, StreamError, SymbolDecoder, SymbolEncoder } from "../../mae_viz/browser/js/bitstream.js";
import { Codec } from "../../mae_viz/browser/js/codec.js";
import { crc32 } from "../../mae_viz/browser/js/crc32.js";
import { Frequencies } from "../../mae_viz/browser/js/entropy_tables.js";

ort.env.wasm.numThreads = 1;
const [task, folder] = process.argv.slice(2);

const crc = (array) => crc32(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "hex"));

const loader =
  ({ path, name }) =>
  async (part) =>
    readFileSync(join(path, `${name}.${part === "tables" ? "safetensors" : `${part}.onnx`}`));
const models = {};
const model = async (place) => {
  models[place.name] ??= Codec.open({ ort, load: loader(place) });
  return (await models[place.name]).model;
};
const codecs = {};
const codec = (place, tile) => {
  codecs[`${place.name} ${tile}`] ??= Codec.open({ ort, load: loader(place), tile });
  return codecs[`${place.name} ${tile}`];
};

/** What becomes of a file: its symbols' checksums, or the sentence that refuses it. */
async function read(place, data) {
  try {
    return { symbols: (await (await model(place)).read(parse(bytesOf(data)))).map(crc) };
  } catch (error) {
    return { refused: error.message, stream: error instanceof StreamError };
  }
}

const TASKS = {
  /** Symbols → sections, and sections that Python wrote → symbols. */
  streams(cases) {
    return cases.map(({ models: tables, symbols, payload, escapes }) => {
      const chosen = tables.map(({ first, counts }) => new Frequencies(first, counts));
      const encoder = new SymbolEncoder();
      encoder.add(Int32Array.from(symbols.flat()), chosen);
      const written = encoder.sections();
      const decoder = new SymbolDecoder({ payload: bytesOf(payload), escapes: bytesOf(escapes) });
      const places = symbols[0].length;
      decoder.checkRoom(chosen, new Array(chosen.length).fill(places));
      const found = decoder.take(chosen, places);
      decoder.finish();
      return { payload: hex(written.payload), escapes: hex(written.escapes), symbols: Array.from(found) };
    });
  },

  /** Payloads that no encoder may have written → symbols, or null where they are refused. */
  payloads(cases) {
    return cases.map(({ model: { first, counts }, payload, escapes, places }) => {
      const decoder = new SymbolDecoder({ payload: bytesOf(payload), escapes: bytesOf(escapes) });
      try {
        return Array.from(decoder.take([new Frequencies(first, counts)], places));
      } catch (error) {
        if (error instanceof StreamError) return null;
        throw error;
      }
    });
  },

  /** Checksums of the scale indexes of some side information. */
  async scales(cases) {
    const out = [];
    for (const { place, z, height, width, index } of cases)
      out.push(crc(await (await model(place)).hyper.indexes(Int32Array.from(z), height, width, index)));
    return out;
  },

  /** Checksums of the tables of a model at some rate indices, and its medians there. */
  async tables({ place, indices }) {
    const { tables, hyper, medians } = await model(place).then((found) => ({
      tables: found.tables,
      hyper: found.hyper,
      medians: (index) => Array.from(found.medians(index)),
    }));
    const summed = (frequencies) =>
      frequencies.reduce(
        (sum, { first, bounds }) => crc32(new Uint8Array(bounds.buffer), sum ^ (first >>> 0)) >>> 0,
        0,
      );
    return {
      at: indices.map((index) => summed(tables.at(index))),
      medians: indices.map(medians),
      gaussians: hyper ? summed(hyper.models()) : null,
    };
  },

  /** Files → symbols; those that are intact are written again. */
  async files(cases) {
    const out = [];
    for (const { place, data } of cases) {
      const found = await read(place, data);
      if (found.symbols) {
        const { model: known, stream } = { model: await model(place), stream: parse(bytesOf(data)) };
        const { index, width, height } = stream;
        found.written = hex(await known.write(await known.read(stream), index, width, height));
      }
      out.push(found);
    }
    return out;
  },

  /** Changed files → symbols or a sentence. */
  async refusals(cases) {
    const out = [];
    for (const { place, data } of cases) out.push(await read(place, data));
    return out;
  },

  /** Pictures → files, and files that Python wrote → pictures (raw RGB in files beside them). */
  async pictures(cases) {
    const out = [];
    for (const { place, tile, picture, width, height, lmbda, file } of cases) {
      const coder = await codec(place, tile);
      const heard = [];
      const progress = (done) => heard.push(done);
      const pixels = new Uint8Array(readFileSync(join(folder, picture)));
      const { bytes, symbols } = await coder.encode({ pixels, width, height, lmbda }, { progress });
      const decoded = await coder.decode(new Uint8Array(readFileSync(join(folder, file))), { progress });
      writeFileSync(join(folder, `${file}.js`), bytes);
      writeFileSync(join(folder, `${file}.rgba`), decoded.pixels);
      out.push({ symbols: symbols.map(crc), size: [decoded.width, decoded.height], lmbda: decoded.lmbda, heard });
    }
    return out;
  },

  /** Work that is cancelled, what was done until then, and whether the codec goes on. */
  async cancelling({ place, picture, width, height }) {
    const coder = await codec(place, 64);
    const pixels = new Uint8Array(readFileSync(join(folder, picture)));
    const stopped = async (work) => {
      const control = new AbortController();
      const heard = [];
      const progress = (done) => {
        heard.push(done);
        if (heard.length === 2) control.abort();
      };
      const error = await work({ progress, signal: control.signal }).catch((reason) => reason);
      return { name: error?.name, heard };
    };
    const source = { pixels, width, height, lmbda: 300 };
    const encoding = await stopped((looks) => coder.encode(source, looks));
    const { bytes } = await coder.encode(source);
    const decoding = await stopped((looks) => coder.decode(bytes, looks));
    // two at once
    const [first, second] = await Promise.all([coder.encode(source), coder.decode(bytes)]);
    await coder.release();
    const errors = [];
    for (const wrong of [{ lmbda: 5 }, { lmbda: Number.NaN }, { pixels: pixels.subarray(1) }])
      errors.push(await coder.encode({ ...source, ...wrong }).catch((error) => `${error.name}: ${error.message}`));
    return { encoding, decoding, same: hex(first.bytes) === hex(bytes), size: [second.width, second.height], errors };
  },
};

const given = JSON.parse(readFileSync(join(folder, "in.json"), "utf8"));
writeFileSync(join(folder, "out.json"), JSON.stringify(await TASKS[task](given)));
