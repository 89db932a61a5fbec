// Panel: where the bits of both files go: places of the picture, and channels in one fixed order.
import { range, scale } from "./colour.js";
import { h, setText } from "./dom.js";
import { lambdaText, percent } from "./numbers.js";
import { OFF, Panel, take } from "./panel.js";
import { drawPlane } from "./stage.js";

export class BitsPanel extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.views = [0, 1].map(() => {
      const [canvas, bars] = ["places", "channels"].map((what) =>
        h("canvas", { role: "img", "aria-label": `Bits of ${what}: not there yet` }),
      );
      const [title, text] = [h("h3"), h("p")];
      const plate = h("div", { class: "plate" }, canvas);
      const element = h("figure", { class: "map" }, title, plate, h("div", { class: "bars" }, bars), text);
      return { element, canvas, title, bars, text, plate };
    });
    this.bar = h("div", { class: "bar" }, h("i"), h("b", { hidden: true }), h("span"), h("span"), h("span"));
    this.body.append(h("div", { class: "maps" }, ...this.views.map((v) => v.element)), this.bar);
  }

  resolve() {
    const { lead, rival } = this.laboratory.pair;
    const { index } = this.viewer;
    const wants = [];
    this.of = [lead, rival].filter(Boolean).map((codec) => {
      const ladder = this.viewer.ladderOf(codec);
      const places = take(ladder, "bits", index);
      const costs = take(ladder, "by_channel", index);
      const most = take(ladder, "by_channel", codec.last, undefined, true);
      const lower = below(ladder, costs.frame);
      const before = lower && take(ladder, "by_channel", lower.at, undefined, true);
      wants.push(places.want, costs.want, most.want);
      if (before) wants.push(before.want);
      return { codec, ladder, places, costs, most: most.asset, before: before?.frame === lower ? before : null };
    });
    return wants;
  }

  describe() {
    const tops = this.of.map(({ places }) => (places.asset ? range(places.asset)[1] : 0));
    const top = Math.max(1e-9, ...tops);
    const peak = Math.max(1, ...this.of.map(({ costs, ladder }) => this.spent(costs, ladder)[1]));
    this.of.forEach((look, i) => {
      this.describeOne(this.views[i], look, top, peak);
    });
    this.views[1].element.hidden = this.of.length < 2;
    const { css, labels } = scale("bits", top);
    const [gradient, , ...texts] = this.bar.children;
    gradient.style.background = css;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
    if (this.viewer.dragging) return;
    this.say(
      "Above: bits of each place, all channels together. Bars: bits of each channel, in the order that the channels " +
        "have at the highest λ; both codecs on one scale.",
    );
  }

  /** Bits of each channel, and the largest of them. */
  spent({ asset }, { info }) {
    const all = asset ? asset.subarray(0, info.channels) : new Float32Array(0);
    return [all, all.reduce((a, b) => Math.max(a, b), 0)];
  }

  describeOne(
    { element, canvas, title, bars, text, plate },
    { codec, ladder, places, costs, most, before },
    top,
    peak,
  ) {
    element.toggleAttribute("data-empty", !places.asset || !costs.asset);
    if (!places.asset || !costs.asset) return setText(title, `${codec.short}: computing …`);
    const [rows, columns] = ladder.info.places;
    setText(title, `${codec.short}, λ ${lambdaText(places.frame.lmbda)}`);
    drawPlane(canvas, "bits", places.asset, top, columns, rows);
    plate.style.setProperty("--shape", `${columns} / ${rows}`);
    const [all] = this.spent(costs, ladder);
    const reference = most ? most.subarray(0, ladder.info.channels) : all;
    const order = [...reference.keys()].sort((a, b) => reference[b] - reference[a]);
    this.drawBars(bars, order, all, peak, codec.colour);
    const used = all.filter((v) => v >= OFF).length;
    setText(
      text,
      `${used} of ${all.length} channels are awake (1\u202fbit or more)${waking(all, costs.frame, before)}`,
    );
    canvas.setAttribute("aria-label", `Bits of each place, ${title.textContent}`);
    bars.setAttribute("aria-label", `Bits of each channel, ${title.textContent}: ${text.textContent}`);
  }

  drawBars(canvas, order, all, peak, colour) {
    const key = `${this.width} ${this.height} ${this.of.length}`;
    if (canvas.dataset.key !== key) {
      canvas.dataset.key = key; // its box is measured as rarely: that makes the browser lay out the page at once
      const box = canvas.parentElement;
      const ratio = globalThis.devicePixelRatio || 1;
      [canvas.width, canvas.height] = [box.clientWidth, box.clientHeight].map((side) => Math.round(side * ratio));
    }
    const size = [canvas.width, canvas.height];
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, ...size);
    context.fillStyle = colour;
    const step = size[0] / order.length;
    order.forEach((channel, i) => {
      const tall = (all[channel] / peak) * size[1];
      context.fillRect(i * step, size[1] - tall, Math.max(1, step - (step > 3 ? 1 : 0)), tall);
    });
  }
}

/** The next lower frame of the grid, null at its end. */
function below(ladder, frame) {
  const lower = ladder.frames.filter((f) => frame && !f.extra && f.at < frame.at);
  return lower.reduce((a, b) => (a && a.at > b.at ? a : b), null);
}

/** How many channels have woken since the frame below, and how much larger the file is, in words. */
function waking(all, frame, before) {
  if (!before?.asset || before.frame.at >= frame.at) return "";
  const woken = all.filter((v, c) => v >= OFF && before.asset[c] < OFF).length;
  const grown = frame.bytes / before.frame.bytes - 1;
  const than = `${percent(Math.abs(grown))} ${grown < 0 ? "smaller" : "larger"} than there`;
  return `, ${woken} of them only since λ ${lambdaText(before.frame.lmbda)}; the file is ${than}`;
}
