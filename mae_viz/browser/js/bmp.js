// Pixels as an uncompressed BMP file, which every browser reads back exactly, and at once.
const HEADER = 54;

/** RGBA, alpha ignored → the bytes of a file with 24 bits to a pixel. */
export function bmp(pixels, width, height) {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = new Uint8Array(HEADER + row * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, HEADER, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, -height, true); // the first row comes first
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      const to = HEADER + y * row + 3 * x;
      bytes[to] = pixels[from + 2];
      bytes[to + 1] = pixels[from + 1];
      bytes[to + 2] = pixels[from];
    }
  return bytes;
}
