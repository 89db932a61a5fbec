// Panel: where the bits of both files go: places of the picture, and channels in one fixed order.
import { range, scale } from "./colour.js";
import { h, setText } from "./dom.js";
import { lambdaText, percent, short } from "./numbers.js";
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
    this.maps = h("div", { class: "maps" }, ...this.views.map((v) => v.element));
    this.moved = new Moved(this.maps);
    this.bar = h("div", { class: "bar" }, h("i"), h("b", { hidden: true }), h("span"), h("span"), h("span"));
    this.body.append(this.maps, this.bar);
  }

  resolve() {
    const { lead, rival } = this.laboratory.pair;
    const { refinements } = this.viewer;
    const wants = [];
    // beside a refined file stands what has moved in it
    const beside = refinements.shownOf(lead) ? [lead] : [lead, rival];
    this.of = beside.filter(Boolean).map((codec) => {
      const ladder = this.viewer.ladderOf(codec);
      const places = refinements.take(codec, "bits");
      const costs = refinements.take(codec, "by_channel");
      const most = take(ladder, "by_channel", codec.last, undefined, true);
      const lower = costs.plain ? null : below(ladder, costs.frame);
      const before = lower && take(ladder, "by_channel", lower.at, undefined, true);
      wants.push(...places.wants, ...costs.wants, most.want);
      if (before) wants.push(before.want);
      return {
        codec: places.codec,
        ladder,
        places,
        costs,
        most: most.asset,
        before: before?.frame === lower ? before : null,
      };
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
    const [{ places, ladder }] = this.of;
    this.moved.describe(places, ladder.info?.places);
    const { css, labels } = scale("bits", top);
    const [gradient, , ...texts] = this.bar.children;
    gradient.style.background = css;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
    if (this.viewer.dragging) return;
    const beside = this.of[0].places.plain
      ? "beside it what the plain file spends elsewhere"
      : "both codecs on one scale";
    this.say(
      "Above: bits of each place, all channels together. Bars: bits of each channel, in the order that the channels " +
        `have at the highest λ; ${beside}.`,
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

/** What has moved in a refined file: its bits of each place less the plain file's. */
class Moved {
  /** `room`: where it stands, as long as there is something to show. */
  constructor(room) {
    this.room = room;
    this.canvas = h("canvas", { role: "img", "aria-label": "Bits that moved: not there yet" });
    this.title = h("h3", { text: "Bits that moved: refined − plain" });
    this.bar = h("div", { class: "bar" }, h("i"), h("b", { hidden: true }), h("span"), h("span"), h("span"));
    this.text = h("p");
    this.plate = h("div", { class: "plate" }, this.canvas);
    this.element = h("figure", { class: "map", "data-map": "moved" });
    this.element.append(this.title, this.plate, this.bar, this.text);
  }

  describe({ asset, plain, frame }, shape) {
    const there = plain?.asset && plain.frame.at === frame.at; // the plain file of another λ says nothing here
    const values = there ? asset.map((bits, i) => bits - plain.asset[i]) : [];
    const top = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (!top) return this.element.remove();
    if (!this.element.isConnected) this.room.append(this.element);
    const [rows, columns] = shape;
    drawPlane(this.canvas, "moved", values, top, columns, rows);
    this.plate.style.setProperty("--shape", `${columns} / ${rows}`);
    const { css, labels } = scale("moved", top);
    const [gradient, , ...texts] = this.bar.children;
    gradient.style.background = css;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
    const sum = (sign) => values.reduce((all, v) => all + (v * sign > 0 ? v : 0), 0);
    setText(
      this.text,
      `orange places have ${short(sum(1))}\u202fbits more, blue ones ${short(-sum(-1))}\u202fbits fewer`,
    );
    this.canvas.setAttribute("aria-label", `${this.title.textContent}: ${this.text.textContent}`);
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
  const size = `${percent(Math.abs(grown))} ${grown < 0 ? "smaller" : "larger"}`;
  return `, ${woken || "none"} of which sleep at λ ${lambdaText(before.frame.lmbda)}; the file is ${size} than there`;
}
