// The `.mae` file: mae_viz/coding/bitstream.py is its specification. Symbols are Int32Arrays, group after group.
import { crc32 } from "./crc32.js";
import { RangeDecoder, RangeEncoder } from "./range_coder.js";
import { LAST_INDEX } from "./rates.js";

const MAGIC = [0x8b, 0x4d, 0x41, 0x45];
const VERSION = 2;
const HEADER_BYTES = 35;
const CRC_OFFSET = HEADER_BYTES - 4;
const MAX_PIXELS = 2 ** 27;
const LONGEST = 4; // bytes of an escape

/** A file that is no intact `.mae` file, or one that these models cannot decode. */
export class StreamError extends Error {
  name = "StreamError";
}

const UNFITTING = "the file's contents contradict each other: it was written by a faulty program.";

/** A `.mae` file's bytes. `stream`: what `parse` gives, but for its version. */
export function pack(stream) {
  const bytes = new Uint8Array(HEADER_BYTES + stream.payload.length + stream.escapes.length);
  bytes.set(header({ version: VERSION, ...stream }));
  bytes.set(stream.payload, HEADER_BYTES);
  bytes.set(stream.escapes, HEADER_BYTES + stream.payload.length);
  const crc = crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CRC_OFFSET)));
  new DataView(bytes.buffer).setUint32(CRC_OFFSET, crc, true);
  return bytes;
}

/** What a `.mae` file holds, its checksum verified: {version, fingerprint (hex), index, width, height, payload,
 *  escapes, symbolsCrc}. Throws a StreamError for anything but an intact file. */
export function parse(data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength); // a Buffer of Node slices otherwise
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
  if (width * height > MAX_PIXELS)
    throw new StreamError(`the file claims ${width} × ${height} pixels, more than this program decodes.`);
  return {
    version,
    fingerprint: hex(bytes.subarray(5, 13)),
    index,
    width,
    height,
    payload: bytes.slice(HEADER_BYTES, end),
    escapes: bytes.slice(end),
    symbolsCrc: view.getUint32(27, true),
  };
}

/** What `symbolsCrc` is for these symbols: those of y, with a hyperprior those of z before them. */
export function checksum(stream, groups) {
  const { version } = { version: VERSION, ...stream };
  const facts = header({ version, symbolsCrc: 0, ...stream }).subarray(5, 19);
  return groups.reduce(
    (crc, symbols) => crc32(new Uint8Array(symbols.buffer, symbols.byteOffset, symbols.byteLength), crc),
    version > 1 ? crc32(facts) : 0,
  );
}

/** The header, with 0 for the CRC-32 of the file. */
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

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Writes groups of symbols, one table each, into one payload and one escape section. */
export class SymbolEncoder {
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
    for (; code >= 128; code >>>= 7) this.#escapes.push((code & 127) | 128);
    this.#escapes.push(code);
  }
}

/** Reads what `SymbolEncoder` wrote, given the same tables in the same order. */
export class SymbolDecoder {
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
    if ((0.9 * this.#leastBits) / 8 > this.#payloadBytes + 16)
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
}
