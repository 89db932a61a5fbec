// One pane: a codec × a layer × a rate, with its choosers above and its numbers below the picture.
import { range, ratioOf, scale, short } from "./colour.js";
import { bytesText, decibels, lambdaText, rateText } from "./numbers.js";
import { difference, drawPlane } from "./stage.js";
import { hueOf } from "./curve.js";

export const LAYERS = {
  picture: "picture",
  difference: "difference",
  bits: "bits per place",
  y: "channel y",
  ratio: "ratio of y",
};
const NEEDS = { picture: "picture", difference: "picture", bits: "bits", y: "y", ratio: "y" };
export const GAINS = [1, 2, 4, 8, 16];

/** An element: tag, attributes (on… are listeners, class and text are what they say), children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};
const fill = (select, options, value) => {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    select.replaceChildren(...options.map(([v, text]) => h("option", { value: v, text })));
  }
  if (select.value !== String(value)) select.value = String(value);
  select.hidden = select.parentElement.hidden = !options.length;
};

export class Pane {
  constructor(viewer, state) {
    this.viewer = viewer;
    this.assume(state);
    this.scratch = new OffscreenCanvas(1, 1);
    this.tops = new WeakMap();
    this.build();
  }

  /** Become what the host or an address says. */
  assume(state) {
    this.state = { codec: "original", layer: "picture", channel: null, follow: null, own: null, base: 0, ...state };
  }

  build() {
    const select = (name, label) => {
      const element = h("select", { "aria-label": label, onchange: () => this.choose({ [name]: element.value }) });
      return element;
    };
    this.selects = {
      codec: select("codec", "Codec"),
      layer: select("layer", "Layer"),
      channel: select("channel", "Channel"),
      base: select("base", "Divided by y at"),
      gain: h("select", { "aria-label": "Amplification", onchange: (e) => this.viewer.set({ gain: +e.target.value }) }),
      follow: select("follow", "Rate"),
    };
    this.own = h("input", { type: "range", step: 1, "aria-label": "This pane's own rate", oninput: () => this.turn(), onchange: () => this.viewer.changed() });
    const wrap = (name) => h("span", { class: "chooser" }, this.selects[name]);
    this.letter = h("strong", { class: "letter" });
    this.swatch = h("i", { class: "swatch", "aria-hidden": "true" });
    this.head = h("div", { class: "head" }, this.letter, this.swatch, ...Object.keys(this.selects).map(wrap), this.own);
    this.canvas = h("canvas");
    this.readout = h("div", { class: "readout", "aria-hidden": "true" });
    this.cross = h("div", { class: "cross", "aria-hidden": "true" });
    this.stage = h("div", { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "picture pane" }, this.canvas, this.cross, this.readout);
    this.numbers = {};
    const item = (name, label) => h("div", {}, h("dt", { text: label }), (this.numbers[name] = h("dd")));
    const list = h("dl", {}, item("rate", "rate"), item("bytes", "bytes"), item("bpp", "bpp"), item("psnr", "PSNR"), item("ms_ssim", "MS-SSIM"));
    this.note = h("p", { class: "note" });
    this.bar = h("div", { class: "bar" }, h("i"), h("b"), h("span"), h("span"), h("span"));
    this.facts = h("p", { class: "facts" });
    this.legend = h("div", { class: "legend", hidden: true }, this.bar, this.facts);
    this.foot = h("div", { class: "foot" }, this.legend, list, this.note);
    this.element = h("section", { class: "pane", onfocusin: () => this.viewer.activate(this), onpointerdown: () => this.viewer.activate(this) }, this.head, this.stage, this.foot);
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  /** A person's choice: new state for this pane; panes that show one channel go on to the next together. */
  choose(change) {
    for (const name of ["channel", "base"]) if (name in change) change[name] = +change[name];
    if ("codec" in change) Object.assign(this.state, { follow: null, own: null, channel: null });
    if (change.follow === "own") change.own ??= this.at ?? null;
    if ("channel" in change) {
      const { channel } = this;
      for (const pane of this.viewer.panes) if (pane.channel === channel) pane.state.channel = change.channel;
    }
    Object.assign(this.state, change);
    this.viewer.changed();
  }

  /** The pane's own rate while its slider moves. */
  turn() {
    this.state.own = this.rates()[+this.own.value];
    this.viewer.schedule();
  }

  get codec() {
    const { codecs } = this.viewer.manifest;
    return codecs.find((c) => c.id === this.state.codec) ?? codecs[0];
  }

  get ladder() {
    return this.viewer.ladderOf(this.codec);
  }

  get layers() {
    if (this.codec.axis === "none") return ["picture"];
    const maps = this.codec.maps && !this.viewer.whole;
    if (!maps) return ["picture", "difference"];
    // a ratio of two networks' y says nothing: their channels are not the same
    return Object.keys(LAYERS).filter((layer) => layer !== "ratio" || !this.codec.only.length);
  }

  get layer() {
    return this.layers.includes(this.state.layer) ? this.state.layer : "picture";
  }

  get follow() {
    if (this.codec.axis === "none") return "none";
    return this.state.follow ?? (this.codec.axis === "lmbda" ? "shared" : "bytes");
  }

  get channel() {
    const kept = this.ladder.info?.kept, chosen = this.state.channel ?? this.viewer.channel;
    return kept && !kept.includes(chosen) ? kept[0] : chosen;
  }

  /** The rates that this pane wants exactly, once λ rests. */
  get exact() {
    if (this.follow === "shared") return [this.target()];
    return this.follow === "own" && this.state.own !== null ? [this.state.own] : [];
  }

  /** The rates that there are frames of, in order. */
  rates() {
    return this.ladder.frames.map((f) => f.at).sort((a, b) => a - b);
  }

  /** The rate that this pane asks for, on its codec's own axis. */
  target() {
    if (this.follow === "none") return 0;
    if (this.follow === "shared") return this.shared();
    if (this.follow === "own" && this.state.own !== null) return this.state.own;
    const bytes = this.viewer.referenceBytes(this);
    const { frames } = this.ladder;
    if (!bytes || !frames.length) return this.at ?? this.codec.start ?? 0;
    const fitting = frames.filter((f) => f.bytes <= bytes);
    const best = fitting.length ? fitting.reduce((a, b) => (b.bytes > a.bytes ? b : a)) : frames.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    return best.at;
  }

  /** λ for all, or of a group of networks for one λ each the nearest. */
  shared() {
    const { first, last, only } = this.codec, { index } = this.viewer;
    if (only.length) return only.reduce((a, b) => (Math.abs(b - index) < Math.abs(a - index) ? b : a));
    return Math.min(last, Math.max(first, index));
  }

  /** Decide which frame to show now; returns what must be fetched for it. */
  resolve() {
    const { ladder, layer } = this, kind = NEEDS[layer];
    this.at = this.target();
    const channel = kind === "y" ? this.channel : null;
    this.frame = ladder.nearest(this.at, (f) => ladder.get(f, kind, channel));
    const best = ladder.nearest(this.at);
    this.waiting = !best || this.frame !== best || (!this.viewer.manifest.static && this.exact.some((at) => at !== best.at));
    const wants = [{ ladder, kind, channel, at: this.at, shown: this.frame && ladder.source(this.frame, kind, channel).key }];
    if (layer === "difference") wants.push({ ladder: this.viewer.original, kind: "picture", at: 0 });
    if (layer === "ratio") wants.push({ ladder, kind, channel, at: this.state.base });
    this.shown = this.frame ? this.compose(ladder, layer, kind, channel) : null;
    return wants;
  }

  compose(ladder, layer, kind, channel) {
    const asset = ladder.get(this.frame, kind, channel);
    if (layer === "picture") return { kind: layer, bitmap: asset };
    if (layer === "difference") {
      const original = this.viewer.originalBitmap();
      if (!original) return null;
      const key = `${this.frame.file} ${this.viewer.gain}`;
      if (this.scratchKey !== key) {
        if (this.scratch.width !== asset.width || this.scratch.height !== asset.height) this.scratch = new OffscreenCanvas(asset.width, asset.height);
        difference(this.scratch, original, asset, this.viewer.gain);
        this.scratchKey = key;
      }
      return { kind: layer, bitmap: this.scratch };
    }
    const [rows, columns] = ladder.info.places;
    let values = asset, top, ratio = null;
    if (layer === "ratio") {
      const frame = ladder.frames.find((f) => f.at === this.state.base);
      const base = ladder.get(frame, kind, channel);
      if (!base) return null;
      ratio = { ...ratioOf(asset, base, this.viewer.manifest.mask_share), base: frame };
      ({ values, mean: top } = ratio);
    } else top = this.top(ladder, kind, channel, asset);
    drawPlane(this.scratch, layer, values, top, columns, rows);
    this.scratchKey = null;
    return { kind: layer, plane: this.scratch, values, top, ratio, rows, columns, stride: ladder.info.stride, ends: layer === "ratio" ? null : this.ends(asset) };
  }

  ends(plane) {
    let ends = this.tops.get(plane);
    if (!ends) this.tops.set(plane, (ends = range(plane)));
    return ends;
  }

  /** Where the colours end: this frame's largest magnitude, or that of all frames here. */
  top(ladder, kind, channel, asset) {
    const planes = this.viewer.lockRange ? ladder.frames.map((f) => ladder.get(f, kind, channel)).filter(Boolean) : [asset];
    return Math.max(1e-9, ...planes.map((plane) => Math.max(...this.ends(plane).map(Math.abs))));
  }

  /** The choosers and numbers as text. Called once a drawing frame: touches only what differs. */
  describe() {
    const { codec, frame, layer, selects, numbers, viewer } = this;
    fill(selects.codec, viewer.manifest.codecs.map((c) => [c.id, c.title]), codec.id);
    fill(selects.layer, this.layers.map((l) => [l, LAYERS[l]]), layer);
    const map = layer === "y" || layer === "ratio";
    if (!map) fill(selects.channel, [], 0);
    else if (!viewer.dragging) {
      const { channel } = this, ranked = [...(this.ladder.info?.kept ?? frame?.rank ?? [])];
      if (!ranked.includes(channel)) ranked.unshift(channel);
      fill(selects.channel, ranked.map((c, i) => [c, `channel ${c}${i === 0 && frame?.rank?.[0] === c ? " (most bits)" : ""}`]), channel);
    }
    fill(selects.base, layer === "ratio" ? viewer.trainedMarks().map(([k, v]) => [k, `over λ ${v}`]) : [], this.state.base);
    fill(selects.gain, layer === "difference" ? GAINS.map((g) => [g, `× ${g}`]) : [], viewer.gain);
    const rates = codec.axis === "none" ? [] : [["bytes", "same bytes"], ["own", codec.axis === "lmbda" ? "own λ" : `own ${codec.unit}`]];
    if (codec.axis === "lmbda") rates.unshift(["shared", "shared λ"]);
    fill(selects.follow, rates, this.follow);
    this.describeOwn();
    setText(numbers.rate, rateText(codec, frame) || "–");
    setText(numbers.bytes, frame ? bytesText(frame.bytes) : "…");
    setText(numbers.bpp, frame ? (frame.bpp === undefined ? "24" : frame.bpp.toFixed(3)) : "…");
    setText(numbers.psnr, frame && codec.axis !== "none" ? decibels(frame.psnr_db) : "–");
    setText(numbers.ms_ssim, frame && codec.axis !== "none" ? decibels(frame.ms_ssim_db) : "–");
    setText(this.note, this.noteText());
    this.swatch.hidden = codec.axis === "none";
    this.swatch.style.background = hueOf(codec, viewer.manifest.codecs);
    setText(this.letter, viewer.manifest.blind ? this.title : "");
    this.describeMap();
    this.element.dataset.at = frame ? frame.at : "";
    this.element.toggleAttribute("data-waiting", this.waiting);
  }

  describeOwn() {
    this.own.hidden = this.follow !== "own";
    if (this.own.hidden) return;
    const rates = this.rates();
    this.own.min = 0;
    this.own.max = Math.max(0, rates.length - 1);
    this.own.value = rates.indexOf(this.at);
    this.own.setAttribute("aria-valuetext", rateText(this.codec, this.frame));
  }

  noteText() {
    const { codec, frame, ladder } = this, { info, error } = ladder;
    if (error) return error;
    const total = info?.total ?? 0, done = info ? info.frames.filter((f) => !f.extra).length : 0;
    const working = this.viewer.whole && info?.done ? ` · ${Math.round(100 * info.done)} % of it` : "";
    const progress = total > done ? ` · ${done} of ${total} rates ready` : working;
    if (!frame) return `computing the ${this.viewer.whole ? "whole" : "first"} picture …${progress}`;
    if (codec.axis === "none") return codec.about;
    if (this.waiting && frame.at !== this.at) return `nearest frame, at ${rateText(codec, frame)}${this.viewer.dragging ? "" : "; the exact one is coming"}${progress}`;
    if (this.follow === "shared" && frame.at !== this.at) return `nearest frame${progress}`;
    if (this.follow === "bytes") {
      const bytes = this.viewer.referenceBytes(this), off = 100 * (frame.bytes / bytes - 1);
      if (bytes) return `${off > 0 ? "its smallest file is" : "same bytes, the leftover is"} ${off > 0 ? "+" : "−"}${Math.abs(off).toFixed(1)} %${progress}`;
    }
    if (codec.only.length) return `${frame.at === this.viewer.index || this.follow === "own" ? codec.about : `${codec.about}: the nearest`}${progress}`;
    const rule = codec.axis === "lmbda" ? (this.viewer.isTrained(frame.at, codec) ? "a λ it was trained for" : codec.between) : codec.about;
    return rule + progress;
  }

  describeMap() {
    const { shown } = this;
    const map = Boolean(shown?.values);
    this.legend.hidden = !map && this.layer !== "difference";
    this.bar.hidden = !map;
    if (this.layer === "difference") setText(this.facts, `black = equal; |error| of each colour × ${this.viewer.gain}, at ${Math.round(255 / this.viewer.gain)} of 255 it is white`);
    if (!map) return;
    const { css, labels, second } = scale(shown.kind, shown.top);
    const [gradient, other, ...texts] = this.bar.children;
    if (gradient.style.background !== css) gradient.style.background = css;
    other.hidden = !second;
    if (second) other.style.background = second;
    texts.forEach((node, i) => setText(node, labels[i]));
    if (shown.ratio) {
      const { masked, negative, mean, constancy, base } = shown.ratio;
      setText(this.facts, Number.isFinite(mean)
        ? `y(λ ${lambdaText(this.frame.lmbda)}) / y(λ ${lambdaText(base.lmbda)}): mean ${short(mean)}, varies by ${percent(constancy)} of it; ${percent(masked)} masked (hatched), ${percent(negative)} negative (purple, dash)`
        : `this channel is switched off at λ ${lambdaText(base.lmbda)}: nothing to divide by`);
    } else setText(this.facts, `${shown.kind === "bits" ? "bits of each 16 × 16 block" : `y of channel ${this.channel}, before rounding`}: ${short(shown.ends[0])} … ${short(shown.ends[1])}`);
  }

  /** What lies under a picture point, in words. */
  value(x, y, pixelOf) {
    const { shown } = this;
    if (!shown) return "";
    if (shown.values) {
      const column = Math.floor(x / shown.stride), row = Math.floor(y / shown.stride);
      const v = shown.values[row * shown.columns + column];
      return `place ${column}, ${row}: ${Number.isNaN(v) ? "masked" : short(v)}${shown.kind === "bits" ? " bits" : ""}`;
    }
    const rgb = pixelOf(this.ladder.get(this.frame, "picture"), x, y), original = this.viewer.originalBitmap();
    const text = `${x}, ${y}: ${rgb.join(" ")}`;
    if (this.codec.axis === "none" || !original) return text;
    const error = pixelOf(original, x, y).map((v, i) => rgb[i] - v);
    return `${text} (error ${error.map((e) => (e > 0 ? `+${e}` : `${e}`.replace("-", "−"))).join(" ")})`;
  }

  get title() {
    if (this.viewer.manifest.blind) return String.fromCharCode(65 + this.viewer.panes.indexOf(this));
    return `${this.codec.title}${this.layer === "picture" ? "" : `, ${LAYERS[this.layer]}${["y", "ratio"].includes(this.layer) ? ` ${this.channel}` : ""}`}`;
  }

  get summary() {
    const { numbers: n, frame, codec } = this;
    if (this.viewer.manifest.blind) return "a codec without its name";
    if (!frame || codec.axis === "none") return codec.about;
    return `${n.rate.textContent} · ${n.bytes.textContent} bytes · ${n.bpp.textContent} bpp · PSNR ${n.psnr.textContent} · MS-SSIM ${n.ms_ssim.textContent}`;
  }
}

const percent = (share) => {
  if (!Number.isFinite(share)) return "n/a";
  if (share > 0 && share < 1e-3) return "under 0.1 %";
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
};
