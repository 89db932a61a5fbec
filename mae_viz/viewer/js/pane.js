// One pane: its choosers above and its numbers below the picture, and what its layer shows of a frame.
import { Choice, LAYERS } from "./choice.js";
import { range, ratioOf, scale } from "./colour.js";
import { fill, h, setText } from "./dom.js";
import { bytesText, decibels, lambdaText, percent, rateText, score, short } from "./numbers.js";
import { difference, drawPlane } from "./stage.js";

const GAINS = [1, 2, 4, 8, 16];
const NUMBERS = { rate: "rate", bytes: "bytes", bpp: "bpp", psnr_db: "PSNR", ms_ssim_db: "MS-SSIM", saved: "saved" };

export class Pane extends Choice {
  constructor(viewer, state) {
    super(viewer, state);
    this.scratch = new OffscreenCanvas(1, 1);
    this.ranges = new WeakMap();
    this.build();
  }

  build() {
    const select = (name, label) =>
      h("select", { "aria-label": label, onchange: (e) => this.choose({ [name]: e.target.value }) });
    this.selects = {
      codec: select("codec", "Codec"),
      layer: select("layer", "Layer"),
      channel: select("channel", "Channel"),
      base: select("base", "Divided by y at"),
      gain: h("select", { "aria-label": "Amplification", onchange: (e) => this.viewer.set({ gain: +e.target.value }) }),
      follow: select("follow", "Rate"),
    };
    this.own = h("input", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "This pane's own rate",
      oninput: () => this.turn(),
      onchange: () => this.viewer.changed(),
    });
    const wrap = (name) => h("span", { class: "chooser" }, this.selects[name]);
    this.letter = h("strong", { class: "letter" });
    this.swatch = h("i", { class: "swatch", "aria-hidden": "true" });
    this.head = h("div", { class: "head" }, this.letter, this.swatch, ...Object.keys(this.selects).map(wrap), this.own);
    this.canvas = h("canvas");
    this.readout = h("div", { class: "readout", "aria-hidden": "true" });
    this.cross = h("div", { class: "cross", "aria-hidden": "true" });
    this.stage = h(
      "div",
      { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "picture pane" },
      this.canvas,
      this.cross,
      this.readout,
    );
    this.numbers = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, h("dd")]));
    const further = this.viewer.manifest.further;
    this.further = Object.fromEntries(further.map(({ name }) => [name, h("dd")]));
    const item = (label, dd, title = null) => h("div", { title }, h("dt", { text: label }), dd);
    const list = [
      ...Object.entries(NUMBERS).map(([name, label]) => item(label, this.numbers[name])),
      ...further.map(({ name, title, definition }) => item(title, this.further[name], definition)),
    ];
    this.note = h("p", { class: "note" });
    this.bar = h("div", { class: "bar" }, h("i"), h("b"), h("span"), h("span"), h("span"));
    this.facts = h("p", { class: "facts" });
    this.legend = h("div", { class: "legend", hidden: true }, this.bar, this.facts);
    this.acts = this.viewer.laboratory?.bench.acts(this) ?? h("div", { hidden: true });
    this.foot = h("div", { class: "foot" }, this.legend, h("dl", {}, ...list), this.note, this.acts);
    this.tag = h("div", { class: "tag" }, this.head, this.foot);
    this.element = h(
      "section",
      { class: "pane", onfocusin: () => this.viewer.activate(this), onpointerdown: () => this.viewer.activate(this) },
      this.tag,
      this.stage,
    );
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  /** The pane's own rate while its slider moves. */
  turn() {
    this.state.own = this.rates()[+this.own.value];
    this.viewer.schedule();
  }

  /** What it shows, once all panes know their frames. */
  prepare() {
    this.shown = this.frame ? this.compose() : null;
  }

  /** What is painted: {kind: layer, bitmap}, or a map {kind, plane, values, top, ratio, rows, columns, stride, ends};
   *  null while what the frame is compared with is not here. */
  compose() {
    const { layer, kind, ladder, channel, frame, scratch } = this;
    const asset = ladder.get(frame, kind, channel);
    if (layer === "picture") return { kind: layer, bitmap: asset };
    if (layer === "difference") return this.composeDifference(asset);
    const {
      places: [rows, columns],
      stride,
    } = ladder.info;
    const map = { kind: layer, plane: scratch, values: asset, ratio: null, rows, columns, stride, ends: null };
    if (layer === "ratio") {
      const { plainLadder } = this;
      const base = plainLadder.frames.find((f) => f.at === this.base);
      const divisor = plainLadder.get(base, kind, channel);
      if (!divisor) return null;
      map.ratio = { ...ratioOf(asset, divisor, this.viewer.manifest.mask_share), base };
      ({ values: map.values, mean: map.top } = map.ratio);
    } else Object.assign(map, { top: this.top(), ends: this.ends(asset) });
    drawPlane(scratch, layer, map.values, map.top, columns, rows);
    this.scratchKey = null;
    return map;
  }

  composeDifference(asset) {
    const original = this.viewer.originalBitmap();
    const { gain } = this.viewer;
    if (!original) return null;
    const key = `${this.frame.file} ${gain}`;
    if (this.scratchKey !== key) {
      Object.assign(this.scratch, { width: asset.width, height: asset.height });
      difference(this.scratch, original, asset, gain);
      this.scratchKey = key;
    }
    return { kind: "difference", bitmap: this.scratch };
  }

  ends(plane) {
    if (!this.ranges.has(plane)) this.ranges.set(plane, range(plane));
    return this.ranges.get(plane);
  }

  /** The panes whose colours mean the same as here: bits are compared from codec to codec. */
  get alike() {
    return this.layer === "bits" ? this.viewer.panes.filter((p) => p.layer === "bits") : [this];
  }

  /** Where the colours end: this frame's largest magnitude, or that of all frames here; bits have one scale for all. */
  top() {
    const planes = this.alike.flatMap(({ ladder, kind, channel, frame }) =>
      (this.viewer.lockRange ? ladder.frames : [frame]).map((f) => ladder.get(f, kind, channel)).filter(Boolean),
    );
    return Math.max(1e-9, ...planes.map((plane) => Math.max(...this.ends(plane).map(Math.abs))));
  }

  /** The choosers and numbers as text. Called once a drawing frame: touches only what differs. */
  describe() {
    const { codec, frame, layer, selects, numbers, viewer } = this;
    fill(
      selects.codec,
      viewer.manifest.codecs.map((c) => [c.id, c.title]),
      this.plain.id,
    );
    fill(
      selects.layer,
      this.layers.map((l) => [l, LAYERS[l]]),
      layer,
    );
    if (layer !== "y" && layer !== "ratio") fill(selects.channel, [], 0);
    else if (!viewer.dragging) {
      const { channel } = this;
      const ranked = [...(this.ladder.info?.kept ?? frame?.rank ?? [])];
      if (!ranked.includes(channel)) ranked.unshift(channel);
      const most = ranked[0] === frame?.rank?.[0] ? ranked[0] : null;
      fill(
        selects.channel,
        ranked.map((c) => [c, `channel ${c}${c === most ? " (most bits)" : ""}`]),
        channel,
      );
    }
    fill(selects.base, layer === "ratio" ? this.bases.map(([at, name]) => [at, `over ${name}`]) : [], this.base);
    fill(selects.gain, layer === "difference" ? GAINS.map((g) => [g, `× ${g}`]) : [], viewer.gain);
    const rates =
      codec.axis === "none"
        ? []
        : [
            ["bytes", "same bytes"],
            ["psnr_db", "same PSNR"],
            ["own", codec.axis === "lmbda" ? "own λ" : `own ${codec.unit}`],
          ];
    if (codec.axis === "lmbda") rates.unshift(["shared", "shared λ"]);
    fill(selects.follow, rates, this.follow);
    this.describeOwn();
    setText(numbers.rate, rateText(codec, frame) || "–");
    setText(numbers.bytes, frame ? bytesText(frame.bytes) : "…");
    setText(numbers.bpp, frame ? (frame.bpp === undefined ? "24" : frame.bpp.toFixed(3)) : "…");
    setText(numbers.psnr_db, frame && codec.axis !== "none" ? decibels(frame.psnr_db) : "–");
    setText(numbers.ms_ssim_db, frame && codec.axis !== "none" ? decibels(frame.ms_ssim_db) : "–");
    for (const [name, dd] of Object.entries(this.further))
      setText(dd, frame?.further ? score(frame.further[name]) : "–");
    setText(
      numbers.saved,
      frame?.bpp === undefined ? "–" : `${(100 * (1 - frame.bpp / 24)).toFixed(1).replace("-", "−")}\u202f%`,
    );
    setText(this.note, this.noteText());
    if (this.note.title !== this.note.textContent) this.note.title = this.note.textContent;
    this.swatch.hidden = codec.axis === "none";
    this.swatch.style.background = codec.colour;
    setText(this.letter, viewer.manifest.blind ? this.title : "");
    this.describeMap();
    viewer.laboratory?.bench.describeActs(this);
    this.element.toggleAttribute("data-refined", Boolean(this.refined));
    this.element.dataset.at = frame ? frame.at : "";
    this.element.toggleAttribute("data-waiting", this.waiting);
  }

  describeOwn() {
    const rates = this.rates();
    this.own.hidden = this.follow !== "own" || !rates.length; // nothing to choose from before there are frames
    if (this.own.hidden) return;
    this.own.max = rates.length - 1;
    this.own.value = rates.indexOf(this.at);
    this.own.setAttribute("aria-valuetext", rateText(this.codec, this.frame));
  }

  noteText() {
    const {
      codec,
      frame,
      ladder: { info, error },
      viewer,
    } = this;
    if (error) return error;
    const total = info?.total ?? 0;
    const done = info ? info.frames.filter((f) => !f.extra).length : 0;
    const working = viewer.whole && info?.done ? ` · ${Math.round(100 * info.done)}\u202f% of it` : "";
    const progress = total > done ? ` · ${done} of ${total} rates ready` : working;
    if (!frame) return `computing the ${viewer.whole ? "whole" : "first"} picture …${progress}`;
    if (codec.axis === "none") return codec.about;
    return this.rule() + progress;
  }

  /** Why this frame is shown and no other. */
  rule() {
    const { codec, frame, follow, viewer } = this;
    if (this.refined) return this.refined.codec.title;
    if (this.lacking) return "what it is compared with is coming";
    const other = viewer.refinements.elsewhere(this);
    if (other) return `the plain file: refined at λ ${lambdaText(viewer.lmbdaAt(other.at))}`;
    const exact = frame.at === this.at;
    if (this.waiting && !exact)
      return `nearest frame, at ${rateText(codec, frame)}${viewer.dragging ? "" : "; the exact one is coming"}`;
    if (follow === "shared" && !exact) return "nearest frame";
    const goal = this.matches && viewer.reference(this);
    if (goal) return this.matched(goal);
    if (codec.only.length)
      return frame.at === viewer.index || follow === "own" ? codec.about : `${codec.about}: the nearest`;
    if (codec.axis !== "lmbda") return codec.about;
    return viewer.isTrained(frame.at, codec) ? "a λ it was trained for" : codec.between;
  }

  /** How near it comes to the file that it is matched to; that it cannot come nearer only once that is known. */
  matched(goal) {
    const { frame, follow } = this;
    const better = follow === "psnr_db";
    const off = better ? frame.psnr_db - goal.psnr_db : 100 * (frame.bytes / goal.bytes - 1);
    const size = better ? `${Math.abs(off).toFixed(2)}\u202fdB` : `${Math.abs(off).toFixed(1)}\u202f%`;
    if (better ? off >= 0 : off <= 0)
      return `held at the same ${better ? "PSNR" : "bytes"}: ${size} ${better ? "above" : "below"}`;
    if (this.oneSided) return `the nearest file so far: ${size} ${better ? "below" : "above"}`;
    return better ? `even its best file is ${size} below` : `even its smallest file is ${size} larger`;
  }

  describeMap() {
    const { shown } = this;
    this.legend.hidden = !shown?.values && this.layer !== "difference";
    this.bar.hidden = !shown?.values;
    if (this.layer === "difference") {
      const { gain } = this.viewer;
      const white = `at ${Math.round(255 / gain)} of 255 it is white`;
      setText(this.facts, `black = equal; |error| of each colour × ${gain}, ${white}`);
    }
    if (!shown?.values) return;
    const { css, labels, second } = scale(shown.kind, shown.top);
    const [gradient, other, ...texts] = this.bar.children;
    if (gradient.style.background !== css) gradient.style.background = css;
    other.hidden = !second;
    if (second) other.style.background = second;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
    setText(this.facts, this.mapText());
  }

  mapText() {
    const {
      shown: { kind, ratio, ends, stride },
      frame,
      channel,
    } = this;
    if (!ratio) {
      const what =
        kind === "bits" ? `bits of each ${stride} × ${stride} block` : `y of channel ${channel}, before rounding`;
      const shared = this.alike.length > 1 ? "; one scale for all bits here" : "";
      return `${what}: ${short(ends[0])} … ${short(ends[1])}${shared}`;
    }
    const { masked, negative, mean, constancy, base } = ratio;
    const below = rateText(this.codec, base);
    if (!Number.isFinite(mean)) return `this channel is switched off at ${below}: nothing to divide by`;
    const varies = `mean ${short(mean)}, varies by ${percent(constancy)} of it`;
    const rest = `${percent(masked)} masked (hatched), ${percent(negative)} negative (pink, dash)`;
    return `y(${rateText(this.codec, frame)}) / y(${below}): ${varies}; ${rest}`;
  }

  /** What lies under a picture point, in words. */
  value(x, y, pixelOf) {
    const { shown } = this;
    if (!shown) return "";
    if (shown.values) {
      const column = Math.floor(x / shown.stride);
      const row = Math.floor(y / shown.stride);
      const v = shown.values[row * shown.columns + column];
      const unit = shown.kind === "bits" ? "\u202fbits" : "";
      return `place ${column}, ${row}: ${Number.isNaN(v) ? "masked" : short(v)}${unit}`;
    }
    const rgb = pixelOf(this.ladder.get(this.frame, "picture"), x, y);
    const original = this.viewer.originalBitmap();
    const text = `${x}, ${y}: ${rgb.join(" ")}`;
    if (this.codec.axis === "none" || !original) return text;
    const error = pixelOf(original, x, y).map((v, i) => rgb[i] - v);
    return `${text} (error ${error.map((e) => (e > 0 ? `+${e}` : `${e}`.replace("-", "−"))).join(" ")})`;
  }

  get title() {
    const { codec, layer, viewer } = this;
    if (viewer.manifest.blind) return String.fromCharCode(65 + viewer.panes.indexOf(this));
    const channel = ["y", "ratio"].includes(layer) ? ` ${this.channel}` : "";
    return layer === "picture" ? codec.title : `${codec.title}, ${LAYERS[layer]}${channel}`;
  }

  get summary() {
    const { frame, codec } = this;
    if (this.viewer.manifest.blind) return "a codec without its name";
    if (!frame || codec.axis === "none") return codec.about;
    const [rate, bytes, bpp, psnr_db, ms_ssim_db] = Object.keys(NUMBERS).map((name) => this.numbers[name].textContent);
    return `${rate} · ${bytes}\u202fbytes · ${bpp}\u202fbpp · PSNR ${psnr_db} · MS-SSIM ${ms_ssim_db}`;
  }
}
