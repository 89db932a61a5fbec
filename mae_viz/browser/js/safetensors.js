// Reads safetensors: 8 bytes of length, a header in JSON, and the tensors' little-endian values.

const ARRAYS = { F32: Float32Array, I32: Int32Array, F16: Uint16Array };

/** `{tensors, metadata}` of a file's bytes: tensors by name, each as {shape, values}, float16 as Float32Array. Throws
 *  an Error for a file that is cut off or holds another type. */
export function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + (bytes.length < 8 ? Infinity : Number(view.getBigUint64(0, true)));
  if (start > bytes.length) throw new Error("the model's tables are cut off: load them again.");
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries(entries)) {
    const [from, to] = ends.map((offset) => start + offset);
    if (!(dtype in ARRAYS)) throw new Error(`${name} has the type ${dtype}, which this program does not read.`);
    if (to > bytes.length) throw new Error("the model's tables are cut off: load them again.");
    const values = new ARRAYS[dtype](view.buffer.slice(view.byteOffset + from, view.byteOffset + to));
    tensors.set(name, { shape, values: dtype === "F16" ? widened(values) : values });
  }
  return { tensors, metadata };
}

/** float16, given as its bits, as float32. */
function widened(halves) {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const bits = halves[i];
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction
            ? NaN
            : Infinity
          : (1024 + fraction) * 2 ** (exponent - 25);
    out[i] = bits & 0x8000 ? -size : size;
  }
  return out;
}
