// The rate-distortion plot of the picture on show: a curve for each codec in the panes, a dot at the rate shown. The
// curves are the frames that exist; a click on one of their points goes to its rate. A file that was refined is on no
// curve: its way there from the plain file is dashed, and it has a mark of its own.
import { h, setText } from "./dom.js";
import { inset } from "./inset.js";
import { bytesText, decibels, rateText } from "./numbers.js";
import { drawing, label, moveDot, points } from "./plot.js";

const METRICS = { psnr_db: "PSNR", ms_ssim_db: "MS-SSIM" };
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 8, 8, 26];
const REACH = 14; // how near a click must be, in units of the plot

export class Curve {
  /** `redraw()` is called where another metric is chosen or a point is pointed at, `choose(codec, frame)` where one is
   *  clicked. */
  constructor(redraw, choose) {
    this.redraw = redraw;
    this.metric = "psnr_db";
    this.metrics = Object.entries(METRICS).map(([metric, text]) =>
      h("button", { type: "button", text, "data-metric": metric, onclick: () => this.measure(metric) }),
    );
    this.axes = drawing("g", { class: "axes" });
    this.lines = drawing("g");
    this.trails = drawing("g", { class: "trails" });
    this.dots = drawing("g");
    this.marks = drawing("g", { class: "marks" });
    this.inset = drawing("g", { class: "inset" });
    this.svg = drawing(
      "svg",
      { role: "img", "aria-label": "Rate and quality of this picture: no file yet" },
      this.axes,
      this.lines,
      this.trails,
      this.dots,
      this.marks,
      this.inset,
    );
    this.readout = h("p", { class: "readoff" });
    this.group = h("div", { class: "set", role: "group", "aria-label": "Quality in the plot" }, ...this.metrics);
    this.names = h("ul", { class: "names", "aria-label": "Colours of the curves" });
    this.size(330, 172);
    const caption = h("figcaption", {}, this.group, this.readout);
    this.element = h("figure", { class: "curve", hidden: true }, this.svg, this.names, caption);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("click", (event) => {
      const point = this.nearest(event);
      if (point) choose(point.codec, point.frame);
    });
  }

  /** The plot's size in CSS pixels. */
  size(wide, high) {
    if (this.wide === wide && this.high === high) return;
    Object.assign(this, { wide, high, key: null });
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  }

  measure(metric) {
    this.metric = metric;
    this.redraw();
  }

  value(frame) {
    const v = frame[this.metric];
    return Number.isFinite(v) ? v : null;
  }

  /** Called once a drawing frame: the curves are drawn anew only where there are more frames, the dots are moved.
   *  panes: [{codec, ladder, frame}] */
  describe(panes, dragging) {
    const ladders = new Map(panes.filter((p) => p.codec.axis !== "none").map((p) => [p.plain, p.plainLadder]));
    const trails = panes.filter((p) => p.refined).map(({ codec, refined }) => ({ codec, trail: refined.told.trail }));
    const curves = [...ladders]
      .map(([codec, ladder]) => {
        const frames = ladder.frames.filter((f) => f.bytes && this.value(f) !== null).sort((a, b) => a.bytes - b.bytes);
        return { codec, ladder, frames };
      })
      .filter(({ frames }) => frames.length);
    this.element.hidden = !ladders.size;
    if (!curves.length) return;
    const key = JSON.stringify([
      this.metric,
      curves.map(({ ladder, frames }) => [ladder.id, frames.length]),
      trails.map(({ codec, trail }) => [codec.title, trail.length]),
    ]);
    if (key !== this.key) this.draw(curves, trails);
    this.key = key;
    const dotted = panes.filter((p) => p.frame?.bytes);
    this.moveDots(dotted.filter((p) => this.value(p.frame) !== null));
    if (dragging) return;
    for (const button of this.metrics)
      button.setAttribute("aria-pressed", String(button.dataset.metric === this.metric));
    const dots = dotted.map(
      ({ codec, frame }) => `${codec.title} ${frame.bpp.toFixed(3)}\u202fbpp, ${decibels(frame[this.metric])}`,
    );
    this.svg.setAttribute("aria-label", `Rate and ${METRICS[this.metric]} of this picture. Shown: ${dots.join("; ")}`);
    if (!this.pointed) setText(this.readout, "click a point to go to its rate");
  }

  draw(curves, trails) {
    const { wide, high: tall } = this;
    const measured = trails.map(({ codec, trail }) => ({ codec, trail: trail.filter((f) => this.value(f) !== null) }));
    const frames = [...curves.flatMap((c) => c.frames), ...measured.flatMap((t) => t.trail)];
    const values = frames.map((f) => this.value(f));
    const rates = frames.map((f) => f.bpp);
    const [low, high] = [Math.log2(Math.min(...rates)) - 0.15, Math.log2(Math.max(...rates)) + 0.15];
    const rise = Math.max(1, Math.max(...values) - Math.min(...values));
    const [least, most] = [Math.min(...values) - 0.04 * rise, Math.max(...values) + 0.04 * rise];
    const x = (b) => LEFT + ((Math.log2(b) - low) / (high - low)) * (wide - LEFT - RIGHT);
    const y = (v) => tall - BOTTOM - ((v - least) / (most - least)) * (tall - TOP - BOTTOM);
    this.at = (f) => [x(f.bpp), y(this.value(f))];
    const xTicks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].filter(
      (b) => Math.log2(b) >= low && Math.log2(b) <= high,
    );
    const step = [1, 2, 5, 10, 20].find((s) => rise / s <= 5) ?? 50;
    const yTicks = [];
    for (let v = Math.ceil(least / step) * step; v <= most; v += step) yTicks.push(v);
    this.axes.replaceChildren(
      ...xTicks.flatMap((b) => [
        drawing("path", { d: `M${x(b)} ${TOP}V${tall - BOTTOM}` }),
        label(x(b), tall - BOTTOM + 11, "middle", `${b}`),
      ]),
      ...yTicks.flatMap((v) => [
        drawing("path", { d: `M${LEFT} ${y(v)}H${wide - RIGHT}` }),
        label(LEFT - 5, y(v) + 3.5, "end", `${v}`),
      ]),
      label(wide - RIGHT, tall - 3, "end", "bits per pixel"),
      label(LEFT + 4, TOP + 9, "start", `${METRICS[this.metric]}, dB`), // no curve begins in this corner
    );
    this.names.replaceChildren(
      ...[...curves, ...trails].map(({ codec }) => {
        const swatch = h("i", { class: "swatch", style: `background: ${codec.colour}`, "aria-hidden": "true" });
        return h("li", { "data-codec": codec.id, title: codec.title }, swatch, codec.short);
      }),
    );
    this.points = curves.flatMap(({ codec, frames }) =>
      frames.map((frame) => ({ codec, frame, spot: this.at(frame) })),
    );
    this.lines.replaceChildren(
      ...curves.map(({ codec, frames }) => {
        const line = { points: points(frames.map(this.at)), stroke: codec.colour, fill: "none" };
        return drawing("polyline", { ...line, "data-codec": codec.id });
      }),
      ...this.points.map(({ codec, spot: [cx, cy] }) => drawing("circle", { cx, cy, r: 1.8, fill: codec.colour })),
    );
    const seen = (list) =>
      list.map(({ codec, frames, trail }) => ({ colour: codec.colour, spots: (frames ?? trail).map(this.at) }));
    const corner = [wide - RIGHT - 4, tall - BOTTOM - 4];
    this.inset.replaceChildren(
      ...inset(seen(curves), seen(measured), corner, [wide - LEFT - RIGHT, tall - TOP - BOTTOM]),
    );
    this.trails.replaceChildren(
      ...measured.flatMap(({ codec, trail }) => {
        const spots = trail.map(this.at);
        const line = { points: points(spots), stroke: codec.colour, fill: "none", "stroke-dasharray": "3 2" };
        const marks = spots.map(([cx, cy]) => drawing("circle", { cx, cy, r: 1.6, fill: codec.colour }));
        return [drawing("polyline", { ...line, "data-codec": codec.id }), ...marks];
      }),
    );
  }

  moveDots(panes) {
    const [plain, refined] = [panes.filter((p) => !p.refined), panes.filter((p) => p.refined)];
    while (this.dots.children.length > plain.length) this.dots.lastChild.remove();
    while (this.dots.children.length < plain.length) this.dots.append(drawing("circle", { r: 5, class: "dot" }));
    plain.forEach((pane, i) => {
      const dot = this.dots.children[i];
      moveDot(dot, this.at(pane.frame), pane.codec.colour);
      dot.dataset.codec = pane.codec.id;
    });
    this.marks.replaceChildren(
      ...refined.map(({ frame, codec }) => {
        const d = `M${this.at(frame).join()}m0-6.5l6.5 6.5-6.5 6.5-6.5-6.5z`;
        return drawing("path", { d, fill: codec.colour, "data-codec": codec.id });
      }),
    );
  }

  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.wide) / box.width;
    const y = ((event.clientY - box.top) * this.high) / box.height;
    const away = ({ spot }) => Math.hypot(spot[0] - x, spot[1] - y);
    const best = this.points?.reduce((a, b) => (away(b) < away(a) ? b : a));
    return best && away(best) <= REACH ? best : null;
  }

  point(event) {
    this.pointed = event && this.nearest(event);
    this.svg.style.cursor = this.pointed ? "pointer" : "";
    if (!this.pointed) return this.redraw();
    const { codec, frame } = this.pointed;
    const size = `${bytesText(frame.bytes)}\u202fbytes, ${frame.bpp.toFixed(3)}\u202fbpp`;
    setText(this.readout, `${codec.title}, ${rateText(codec, frame)}: ${size}, ${decibels(frame[this.metric])}`);
  }
}
