// Where the panes look: one zoom and one place in the picture for all of them. All coordinates on a canvas are device
// pixels, so that 100 % is one picture pixel on one screen pixel.

export const STEPS = [1, 2, 4, 8];

/** zoom 0 fits; x, y (0…1) is the point of the picture in the middle. Survives changes of λ, pane and picture. */
export class View {
  zoom = 0;
  x = 0.5;
  y = 0.5;
  #picture;
  #leading;
  #changed;

  /** `picture()`: what is on show, {width, height}; `leading()`: the canvas that keys move it in; `changed()` is called
   *  after every move. */
  constructor(picture, leading, changed) {
    this.#picture = picture;
    this.#leading = leading;
    this.#changed = changed;
  }

  #fit(canvas) {
    const { width, height } = this.#picture();
    return Math.min(canvas.width / width, canvas.height / height);
  }

  /** Scale and offset that show the picture on a canvas. */
  place(canvas) {
    const picture = this.#picture();
    const fit = this.#fit(canvas);
    const scale = this.zoom || fit;
    const middle = (size, length, at) => {
      const drawn = length * scale;
      // smaller than the canvas: centred; larger: never farther than its edge
      return Math.round(
        drawn <= size ? (size - drawn) / 2 : Math.min(0, Math.max(size - drawn, size / 2 - at * drawn)),
      );
    };
    return {
      scale,
      left: middle(canvas.width, picture.width, this.x),
      top: middle(canvas.height, picture.height, this.y),
    };
  }

  /** The picture's pixel under a canvas point, [x, y]; null beside the picture. */
  pixelAt(canvas, x, y) {
    const { scale, left, top } = this.place(canvas);
    const { width, height } = this.#picture();
    const pixel = [Math.floor((x - left) / scale), Math.floor((y - top) / scale)];
    return pixel[0] >= 0 && pixel[1] >= 0 && pixel[0] < width && pixel[1] < height ? pixel : null;
  }

  zoomTo(zoom) {
    this.zoom = zoom;
    this.#changed();
  }

  zoomBy(direction, canvas = this.#leading(), point = [canvas.width / 2, canvas.height / 2]) {
    this.zoomAt(canvas, ...point, nextStep(this.place(canvas).scale, this.#fit(canvas), direction));
  }

  /** Zoom so that the picture point under (x, y) stays there. */
  zoomAt(canvas, x, y, zoom) {
    const picture = this.#picture();
    const before = this.place(canvas);
    const u = (x - before.left) / before.scale;
    const v = (y - before.top) / before.scale;
    this.zoom = zoom && Math.min(STEPS.at(-1), Math.max(0.05, zoom));
    const { scale } = this.place(canvas);
    this.x = (u + (canvas.width / 2 - x) / scale) / picture.width;
    this.y = (v + (canvas.height / 2 - y) / scale) / picture.height;
    this.#moved(canvas);
  }

  /** After a pinch: to the nearest exact step, or to fit below it. */
  snap(canvas) {
    const { scale } = this.place(canvas);
    const nearest = STEPS.reduce((a, b) => (Math.abs(Math.log(b / scale)) < Math.abs(Math.log(a / scale)) ? b : a));
    this.zoomAt(canvas, canvas.width / 2, canvas.height / 2, scale <= this.#fit(canvas) * 1.1 ? 0 : nearest);
  }

  /** Move the picture by canvas pixels. */
  pan(dx, dy, canvas = this.#leading()) {
    const picture = this.#picture();
    const { scale } = this.place(canvas);
    this.x -= dx / (scale * picture.width);
    this.y -= dy / (scale * picture.height);
    this.#moved(canvas);
  }

  /** Keeps the middle where the picture still covers the canvas. */
  #moved(canvas) {
    const picture = this.#picture();
    const { scale } = this.place(canvas);
    const limit = (size, length, at) => {
      const half = size / (2 * length * scale);
      return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, at));
    };
    this.x = limit(canvas.width, picture.width, this.x);
    this.y = limit(canvas.height, picture.height, this.y);
    this.#changed();
  }

  /** From a part of a picture to the whole, or back: what was in the middle stays there. `part` is [left, top]. */
  move(from, to, [left, top]) {
    const sign = to.width > from.width || to.height > from.height ? 1 : -1;
    this.x = Math.min(1, Math.max(0, (this.x * from.width + sign * left) / to.width));
    this.y = Math.min(1, Math.max(0, (this.y * from.height + sign * top) / to.height));
  }
}

/** The zoom step after this scale in a direction; 0 is fit. */
export function nextStep(scale, fit, direction) {
  if (direction > 0) return STEPS.find((s) => s > scale + 1e-6) ?? STEPS.at(-1);
  const lower = STEPS.filter((s) => s < scale - 1e-6).at(-1);
  return lower && lower > fit ? lower : 0;
}
