// The rate-distortion plot of the picture on show: a curve for each codec in the panes, a dot at the rate shown. The
// curves are the frames that exist; a click on one of their points goes to its rate.
import { bytesText, decibels, rateText } from "./numbers.js";
import { h, setText } from "./pane.js";

// told apart with any colour vision, on light and on dark
const HUES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8c6bb1", "#7f7f7f"];
const METRICS = { psnr_db: "PSNR", ms_ssim_db: "MS-SSIM" };
const [WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM] = [330, 172, 34, 8, 8, 26];
const REACH = 14; // how near a click must be, in units of the plot

const space = Object.assign(document.createElement("div"), { innerHTML: "<svg></svg>" }).firstChild.namespaceURI;
const drawing = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

/** The colour of a codec's curve, the same whatever else is on show. */
export const hueOf = (codec, codecs) => HUES[Math.max(0, codecs.filter((c) => c.axis !== "none").indexOf(codec)) % HUES.length];

export class Curve {
  constructor(viewer) {
    this.viewer = viewer;
    this.metric = "psnr_db";
    this.metrics = Object.entries(METRICS).map(([metric, text]) => h("button", { type: "button", text, "data-metric": metric, onclick: () => this.measure(metric) }));
    this.axes = drawing("g", { class: "axes" });
    this.lines = drawing("g");
    this.dots = drawing("g");
    this.svg = drawing("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": "Rate and quality of this picture: no file yet" }, this.axes, this.lines, this.dots);
    this.readout = h("p", { class: "readoff" });
    const group = h("div", { class: "set", role: "group", "aria-label": "Quality in the plot" }, ...this.metrics);
    this.element = h("figure", { class: "curve", hidden: true }, this.svg, h("figcaption", {}, group, this.readout));
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("click", (event) => this.choose(this.nearest(event)));
  }

  measure(metric) {
    this.metric = metric;
    this.viewer.schedule();
  }

  value(frame) {
    const v = frame[this.metric];
    return Number.isFinite(v) ? v : null;
  }

  /** Called once a drawing frame: the curves are drawn anew only where there are more frames, the dots are moved. */
  describe() {
    const { viewer } = this, { codecs, blind } = viewer.manifest;
    const shown = [...new Set(viewer.panes.map((p) => p.codec))].filter((c) => c.axis !== "none");
    const curves = shown.map((codec) => {
      const frames = viewer.ladderOf(codec).frames.filter((f) => f.bytes && this.value(f) !== null);
      return { codec, hue: hueOf(codec, codecs), frames: frames.sort((a, b) => a.bytes - b.bytes) };
    }).filter(({ frames }) => frames.length);
    this.element.hidden = Boolean(blind) || !shown.length;
    if (this.element.hidden || !curves.length) return;
    const key = JSON.stringify([this.metric, viewer.whole, curves.map(({ codec, frames }) => [codec.ladder, frames.length])]);
    if (key !== this.key) this.draw(curves);
    this.key = key;
    this.moveDots();
    if (viewer.dragging) return;
    for (const button of this.metrics) button.setAttribute("aria-pressed", String(button.dataset.metric === this.metric));
    const dots = viewer.panes.filter((p) => p.frame?.bytes).map((p) => `${p.codec.title} ${p.frame.bpp.toFixed(3)} bpp, ${decibels(p.frame[this.metric])}`);
    this.svg.setAttribute("aria-label", `Rate and ${METRICS[this.metric]} of this picture. Shown: ${dots.join("; ")}`);
    if (!this.pointed) setText(this.readout, "click a point to go to its rate");
  }

  draw(curves) {
    const frames = curves.flatMap((c) => c.frames), values = frames.map((f) => this.value(f)), rates = frames.map((f) => f.bpp);
    const [low, high] = [Math.log2(Math.min(...rates)) - 0.15, Math.log2(Math.max(...rates)) + 0.15];
    const rise = Math.max(1, Math.max(...values) - Math.min(...values)), [least, most] = [Math.min(...values) - 0.04 * rise, Math.max(...values) + 0.04 * rise];
    this.at = (f) => [LEFT + ((Math.log2(f.bpp) - low) / (high - low)) * (WIDE - LEFT - RIGHT), HIGH - BOTTOM - ((this.value(f) - least) / (most - least)) * (HIGH - TOP - BOTTOM)];
    const xTicks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].filter((b) => Math.log2(b) >= low && Math.log2(b) <= high);
    const step = [1, 2, 5, 10, 20].find((s) => rise / s <= 5) ?? 50, yTicks = [];
    for (let v = Math.ceil(least / step) * step; v <= most; v += step) yTicks.push(v);
    const x = (b) => LEFT + ((Math.log2(b) - low) / (high - low)) * (WIDE - LEFT - RIGHT);
    const y = (v) => HIGH - BOTTOM - ((v - least) / (most - least)) * (HIGH - TOP - BOTTOM);
    const text = (x, y, anchor, words) => drawing("text", { x, y, "text-anchor": anchor }, words);
    this.axes.replaceChildren(
      ...xTicks.flatMap((b) => [drawing("path", { d: `M${x(b)} ${TOP}V${HIGH - BOTTOM}` }), text(x(b), HIGH - BOTTOM + 11, "middle", `${b}`)]),
      ...yTicks.flatMap((v) => [drawing("path", { d: `M${LEFT} ${y(v)}H${WIDE - RIGHT}` }), text(LEFT - 5, y(v) + 3.5, "end", `${v}`)]),
      text(WIDE - RIGHT, HIGH - 3, "end", "bits per pixel"), text(LEFT, HIGH - 3, "start", `${METRICS[this.metric]}, dB`));
    this.lines.replaceChildren(...curves.flatMap(({ hue, frames }) => [
      drawing("polyline", { points: frames.map((f) => this.at(f).map((v) => v.toFixed(1)).join()).join(" "), stroke: hue, fill: "none" }),
      ...frames.map((f) => { const [cx, cy] = this.at(f); return drawing("circle", { cx, cy, r: 1.8, fill: hue }); })]));
    this.points = curves.flatMap(({ codec, frames }) => frames.map((frame) => ({ codec, frame, spot: this.at(frame) })));
  }

  moveDots() {
    const { codecs } = this.viewer.manifest, panes = this.viewer.panes.filter((p) => p.frame?.bytes && this.value(p.frame) !== null);
    while (this.dots.children.length > panes.length) this.dots.lastChild.remove();
    while (this.dots.children.length < panes.length) this.dots.append(drawing("circle", { r: 5, class: "dot" }));
    panes.forEach((pane, i) => {
      const dot = this.dots.children[i], [cx, cy] = this.at(pane.frame);
      dot.setAttribute("cx", cx);
      dot.setAttribute("cy", cy);
      dot.setAttribute("fill", hueOf(pane.codec, codecs));
      dot.dataset.codec = pane.codec.id;
    });
  }

  nearest(event) {
    const box = this.svg.getBoundingClientRect(), x = ((event.clientX - box.left) * WIDE) / box.width, y = ((event.clientY - box.top) * HIGH) / box.height;
    const away = ({ spot }) => Math.hypot(spot[0] - x, spot[1] - y);
    const best = this.points?.reduce((a, b) => (away(b) < away(a) ? b : a));
    return best && away(best) <= REACH ? best : null;
  }

  point(event) {
    this.pointed = event && this.nearest(event);
    this.svg.style.cursor = this.pointed ? "pointer" : "";
    if (!this.pointed) return this.viewer.schedule();
    const { codec, frame } = this.pointed;
    setText(this.readout, `${codec.title}, ${rateText(codec, frame)}: ${bytesText(frame.bytes)} bytes, ${frame.bpp.toFixed(3)} bpp, ${decibels(frame[this.metric])}`);
  }

  /** λ goes to a model's point; a pane that has a rate of its own, or a classical codec, takes it alone. */
  choose(point) {
    if (!point) return;
    const { viewer } = this, panes = viewer.panes.filter((p) => p.codec.id === point.codec.id);
    if (panes.some((p) => p.follow === "shared")) return viewer.step(point.frame.at);
    for (const pane of panes) Object.assign(pane.state, { follow: "own", own: point.frame.at });
    viewer.changed();
  }
}
