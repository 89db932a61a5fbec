// The brush: a person paints what is important in the picture, at the picture's own pixels, with a mouse, a pen or a
// finger; or says with a button that it is what can be seen now. What is painted is a tint over all panes.
const TINT = "#ff2ea6";
const COVER = 0.42; // of the tint: what is below stays to be seen
const PAINTED = 128; // from this alpha on a pixel counts as painted
export const SIZES = { least: 0.02, most: 0.5, first: 0.12 }; // of the shorter side, across

export class Brush {
  constructor(viewer) {
    this.viewer = viewer;
    this.on = false;
    this.size = SIZES.first;
    this.marks = []; // what was painted, in order: a line {width, points} or a part of the picture {box}
    this.stroke = null;
  }

  /** Another picture: what was painted on the one before goes with it. */
  forget() {
    const { width, height, codecs } = this.viewer.manifest;
    const key = codecs.find((codec) => codec.axis === "none").ladder;
    if (this.key === key) return;
    this.key = key;
    this.on = false;
    this.marks = [];
    this.canvas = new OffscreenCanvas(width, height);
    this.draw();
  }

  /** Across, in the picture's pixels. */
  get width() {
    const { width, height } = this.viewer.manifest;
    return Math.max(2, this.size * Math.min(width, height));
  }

  turn(on = !this.on) {
    const changed = this.on !== on;
    this.on = on;
    this.stroke = null;
    this.viewer.schedule();
    return changed;
  }

  // hands

  begin(canvas, point) {
    this.stroke = { width: this.width, points: [this.spot(canvas, point)] };
    this.marks.push(this.stroke);
    this.add(this.stroke);
  }

  extend(canvas, points) {
    const { stroke } = this;
    const from = stroke.points.length - 1;
    stroke.points.push(...points.map((point) => this.spot(canvas, point)));
    this.add({ ...stroke, points: stroke.points.slice(from) });
  }

  end() {
    if (!this.stroke) return;
    this.stroke = null;
    this.draw(); // at once: piece by piece its edge comes out a little stronger
    this.measure();
  }

  /** A second finger has come: the two move the picture, and what the first one began was none. */
  cancel() {
    if (!this.stroke) return;
    this.marks.pop();
    this.stroke = null;
    this.draw();
    this.measure();
  }

  undo() {
    this.marks.pop();
    this.draw();
    this.measure();
  }

  clear() {
    this.marks = [];
    this.draw();
    this.measure();
  }

  /** The part of the picture that can be seen now. False where that is all of it. */
  markSeen() {
    const canvas = this.viewer.leading;
    const [left, top] = this.spot(canvas, [0, 0]).map((v) => Math.max(0, Math.round(v)));
    const { width, height } = this.viewer.manifest;
    const ends = this.spot(canvas, [canvas.width, canvas.height]);
    const [right, bottom] = [Math.min(width, Math.round(ends[0])), Math.min(height, Math.round(ends[1]))];
    if (right - left >= width && bottom - top >= height) return false;
    this.marks.push({ box: [left, top, right - left, bottom - top] });
    this.add(this.marks.at(-1));
    this.measure();
    return true;
  }

  spot(canvas, [x, y]) {
    const { scale, left, top } = this.viewer.view.place(canvas);
    return [(x - left) / scale, (y - top) / scale];
  }

  // what is painted

  draw() {
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const mark of this.marks) this.add(mark);
    this.viewer.schedule();
  }

  add({ box, width, points }) {
    const { context } = this;
    Object.assign(context, { strokeStyle: TINT, fillStyle: TINT, lineCap: "round", lineJoin: "round" });
    if (box) context.fillRect(...box);
    else {
      context.lineWidth = width;
      context.beginPath();
      for (const point of points) context.lineTo(...point);
      context.lineTo(...points.at(-1)); // a dot is a line too
      context.stroke();
    }
    this.viewer.schedule();
  }

  /** Importance of each pixel, a byte, row by row. */
  get bytes() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    const out = new Uint8Array(width * height);
    for (let i = 0; i < out.length; i++) out[i] = data[4 * i + 3];
    return out;
  }

  measure() {
    const { bytes } = this;
    this.share = bytes.reduce((sum, alpha) => sum + (alpha >= PAINTED), 0) / bytes.length;
    this.viewer.schedule();
  }

  /** {bytes, share} of what is painted; null where nothing is. */
  mask() {
    return this.marks.length && this.share > 0 ? { bytes: this.bytes, share: this.share } : null;
  }

  /** The tint over a picture on a canvas, and around the cursor how wide the brush is. */
  paint(context, { left, top, scale }) {
    if (!this.on || this.viewer.whole) return;
    const { width, height } = this.canvas;
    context.globalAlpha = COVER;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.canvas, left, top, width * scale, height * scale);
    context.globalAlpha = 1;
    const { cursor } = this.viewer;
    if (!cursor) return;
    const [x, y] = cursor.map((v, i) => [left, top][i] + (v + 0.5) * scale);
    for (const [colour, wide] of [
      ["#000", 3],
      ["#fff", 1.5],
    ]) {
      context.strokeStyle = colour;
      context.lineWidth = wide;
      context.beginPath();
      context.arc(x, y, (this.width * scale) / 2, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
