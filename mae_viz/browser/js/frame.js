// One frame: a picture coded at one rate, with its numbers and maps, in the form of mae_viz/ladders/frame.schema.json.
import { bitsOf, byChannel, byPlace } from "./bits.js";
import { bmp } from "./bmp.js";
import { msSsimDb, msSsimDbOnce, psnrDb, pyramid } from "./measures.js";
import { SCRUBBED } from "./pictures.js";
import { lmbdaAt } from "./rates.js";

const RANKED = 32;

/** The picture itself: {frame, files}. Files are bytes by their kinds. */
export function original({ pixels, width, height }) {
  return { frame: { at: 0 }, files: { file: bmp(pixels, width, height) } };
}

/** A picture coded by one of this project's models at a rate index: the file is written, and what is shown is decoded
 *  from its bytes. `maps`: whether to tell what is inside; `hand`: what a person has changed in the model. Gives
 *  {frame, files, maps}. */
export async function ofModel(codec, picture, index, { maps, hand, progress, signal }) {
  const { width, height } = picture;
  const part = (from, share) => (done) => progress?.(from + share * done);
  const lmbda = lmbdaAt(index);
  const encoding = codec.encode({ ...picture, lmbda, hand }, { progress: part(0, 0.45), signal });
  // without maps nothing but the file stays in memory
  const { bytes, y, symbols } = await encoding.then((coded) => (maps ? coded : { bytes: coded.bytes }));
  const decoding = codec.decode(bytes, { progress: part(0.45, 0.45), signal, hand });
  const made = ofFile(picture, index, bytes.length, await decoding.then(({ pixels }) => pixels));
  made.frame.lmbda = lmbda;
  made.files.stream = bytes;
  if (!maps) return made;
  const { channels, latent } = codec.facts;
  const [h, w] = codec.model.latents(width, height);
  const bits = await bitsOf(codec.model, symbols, index, width, height);
  const sums = byChannel(bits, channels);
  const { lmbda: _, ...gains } = codec.rate(index, hand);
  const places = byPlace(bits, [channels, h, w]);
  Object.assign(made.files, {
    y: bytesOf(y),
    bits: bytesOf(places),
    by_channel: bytesOf(Float32Array.from([sums, ...Object.values(gains)].flatMap((values) => [...values]))),
  });
  made.frame.estimated_bpp = +(places.reduce((a, b) => a + b, 0) / (width * height)).toFixed(5);
  made.frame.rank = [...sums.keys()].sort((a, b) => sums[b] - sums[a] || a - b).slice(0, RANKED);
  return { ...made, maps: { places: [h, w], channels, stride: latent, layers: Object.keys(gains) } };
}

/** A picture coded by the browser itself: `type` such as "image/jpeg", quality 0…100. */
export async function ofBrowser({ type }, picture, quality) {
  const { pixels, width, height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.putImageData(new ImageData(opaque(pixels), width, height), 0, 0);
  const blob = await canvas.convertToBlob({ type, quality: quality / 100 });
  if (blob.type !== type) throw new Error(`this browser writes no ${type.slice(6).toUpperCase()} files.`);
  context.drawImage(await createImageBitmap(blob, { colorSpaceConversion: "none" }), 0, 0);
  const decoded = context.getImageData(0, 0, width, height).data;
  const made = ofFile(picture, quality, blob.size, decoded);
  made.files.coded = new Uint8Array(await blob.arrayBuffer());
  return made;
}

function ofFile(picture, at, length, decoded) {
  const { pixels, width, height } = picture;
  const often = width * height <= SCRUBBED; // else it has few frames, and no pyramid is kept
  if (often && picture.pyramid === undefined) picture.pyramid = pyramid(pixels, width, height);
  return {
    frame: {
      at,
      bytes: length,
      bpp: +((8 * length) / (width * height)).toFixed(5),
      psnr_db: psnrDb(pixels, decoded),
      ms_ssim_db: often ? msSsimDb(picture.pyramid, decoded) : msSsimDbOnce(pixels, decoded, width, height),
    },
    files: { file: bmp(decoded, width, height) },
  };
}

const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function opaque(pixels) {
  const out = new Uint8ClampedArray(pixels);
  for (let i = 3; i < out.length; i += 4) out[i] = 255;
  return out;
}
