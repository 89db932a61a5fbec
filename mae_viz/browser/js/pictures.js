// Pictures in: pixels as the codecs see them, 8-bit sRGB. As mae_viz/images.py has it: upright, in sRGB, transparency
// on white.

const MAX_PIXELS = 2 ** 25; // of a page's memory
const MAX_SIDE = 65535;
/** Pixels: larger pictures have a ladder of their middle alone. */
export const SCRUBBED = 800_000;

/** {pixels (RGBA), width, height} of a file. Throws an Error with a sentence for what is none. */
export async function read(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", colorSpaceConversion: "default" });
  } catch {
    throw new Error("this is no picture that this browser can read: choose a JPEG, PNG, WebP or AVIF.");
  }
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE)
      throw new Error(
        `the picture has ${((width * height) / 1e6).toFixed(0)} megapixels, and a page has room for ` +
          `${Math.floor(MAX_PIXELS / 1e6)}: make it smaller first.`,
      );
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb", willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return { pixels: context.getImageData(0, 0, width, height).data, width, height };
  } finally {
    bitmap.close();
  }
}

/** The middle of a large picture, {left, top, pixels, width, height}; the picture itself where it is small enough. */
export function middle({ pixels, width, height }) {
  if (width * height <= SCRUBBED) return { left: 0, top: 0, pixels, width, height };
  const scale = Math.sqrt(SCRUBBED / (width * height));
  const [w, h] = [width, height].map((side) => Math.max(1, Math.floor(side * scale)));
  const [left, top] = [(width - w) >> 1, (height - h) >> 1];
  const part = new Uint8ClampedArray(4 * w * h);
  for (let y = 0; y < h; y++) {
    const from = 4 * ((top + y) * width + left);
    part.set(pixels.subarray(from, from + 4 * w), 4 * y * w);
  }
  return { left, top, pixels: part, width: w, height: h };
}
