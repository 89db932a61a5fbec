// Where the panes look: one zoom and one place in the picture for all of them.
import { nextStep } from "./input.js";
import { STEPS, clampView, place } from "./stage.js";

/** zoom 0 fits; x, y (0…1) is the point of the picture in the middle. Survives changes of λ, pane and picture. */
export class View {
  zoom = 0;
  x = 0.5;
  y = 0.5;
  #viewer;

  constructor(viewer) {
    this.#viewer = viewer;
  }

  get #picture() {
    return this.#viewer.picture;
  }

  #fit(canvas) {
    return Math.min(canvas.width / this.#picture.width, canvas.height / this.#picture.height);
  }

  zoomTo(zoom) {
    this.zoom = zoom;
    this.#viewer.schedule();
  }

  zoomBy(direction, canvas = this.#viewer.leading, point = [canvas.width / 2, canvas.height / 2]) {
    const { scale } = place(this, this.#picture, canvas);
    this.zoomAt(canvas, ...point, nextStep(scale, this.#fit(canvas), direction));
  }

  /** Zoom so that the picture point under (x, y) stays there. */
  zoomAt(canvas, x, y, zoom) {
    const picture = this.#picture, before = place(this, picture, canvas);
    const u = (x - before.left) / before.scale, v = (y - before.top) / before.scale;
    this.zoom = zoom && Math.min(STEPS.at(-1), Math.max(0.05, zoom));
    const { scale } = place(this, picture, canvas);
    this.x = (u + (canvas.width / 2 - x) / scale) / picture.width;
    this.y = (v + (canvas.height / 2 - y) / scale) / picture.height;
    clampView(this, picture, canvas);
    this.#viewer.schedule();
  }

  /** After a pinch: to the nearest exact step, or to fit below it. */
  snap(canvas) {
    const { scale } = place(this, this.#picture, canvas);
    const nearest = STEPS.reduce((a, b) => (Math.abs(Math.log(b / scale)) < Math.abs(Math.log(a / scale)) ? b : a));
    this.zoomAt(canvas, canvas.width / 2, canvas.height / 2, scale <= this.#fit(canvas) * 1.1 ? 0 : nearest);
  }

  /** Move the picture by canvas pixels. */
  pan(dx, dy, canvas = this.#viewer.leading) {
    const picture = this.#picture, { scale } = place(this, picture, canvas);
    this.x -= dx / (scale * picture.width);
    this.y -= dy / (scale * picture.height);
    clampView(this, picture, canvas);
    this.#viewer.schedule();
  }

  /** From a part of a picture to the whole, or back: what was in the middle stays there. `part` is [left, top]. */
  move(from, to, [left, top]) {
    const sign = to.width > from.width || to.height > from.height ? 1 : -1;
    this.x = Math.min(1, Math.max(0, (this.x * from.width + sign * left) / to.width));
    this.y = Math.min(1, Math.max(0, (this.y * from.height + sign * top) / to.height));
  }
}
