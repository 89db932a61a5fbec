// Panel: channels of the bottleneck, in a strip; the chosen one large; and what λ has done to it, as a ratio of its
// values at a reference λ and at the λ of the file on show, for a modulated codec and for its rival.
import { ratioOf, scale } from "./colour.js";
import { h, setText } from "./dom.js";
import { lambdaText, percent, rateText, short } from "./numbers.js";
import { OFF, Panel, take } from "./panel.js";
import { drawPlane } from "./stage.js";

const MOST = 16; // channels in the strip
const THUMB = 42; // CSS pixels that each takes

export class MapsPanel extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.reference = "last";
    this.besideRival = true;
    this.strip = h("div", {
      class: "strip",
      role: "group",
      "aria-label": "Channels with the most bits at the highest λ",
    });
    this.views = ["y", "lead", "rival"].map((name) => {
      const canvas = h("canvas", { role: "img", "aria-label": "Channel map: not there yet" });
      const value = h("b", { class: "value", hidden: true });
      const [title, text] = [h("h3"), h("p")];
      const bar = h("div", { class: "bar" }, h("i"), h("b"), h("span"), h("span"), h("span"));
      const element = h(
        "figure",
        { class: "map", "data-map": name },
        title,
        h("div", { class: "plate" }, canvas, value),
        bar,
        h("figcaption", {}, text),
      );
      return { element, canvas, value, title, text, bar };
    });
    this.body.append(this.strip, h("div", { class: "maps" }, ...this.views.map((v) => v.element)));
    this.references = h(
      "select",
      { "aria-label": "Reference λ of the ratio", onchange: (e) => this.chosen({ reference: e.target.value }) },
      h("option", { value: "last", text: "ratio to the highest λ" }),
      h("option", { value: "first", text: "ratio to the lowest λ" }),
    );
    this.extras.append(this.references);
  }

  resolve() {
    const { lead, rival } = this.laboratory.pair;
    const { refinements } = this.viewer;
    const channel = this.laboratory.channel;
    const wants = [];
    const of = (codec, c) => {
      if (!codec || c === null) return null;
      const ladder = this.viewer.ladderOf(codec);
      const base = this.reference === "last" ? codec.last : codec.first;
      const now = refinements.take(codec, "y", c);
      const reference = take(ladder, "y", base, c, true);
      wants.push(...now.wants, reference.want);
      return { codec: now.codec, ladder, channel: c, now, reference: reference.frame?.at === base ? reference : null };
    };
    this.lead = of(lead, channel);
    this.rival = of(rival, this.laboratory.partner);
    const costs = refinements.take(lead, "by_channel");
    wants.push(...costs.wants);
    this.costs = costs.asset;
    this.channels = this.laboratory.ranked.slice(0, MOST);
    this.thumbs = this.channels.length ? refinements.take(lead, "y", this.channels.join()) : {};
    if (this.thumbs.wants) wants.push(...this.thumbs.wants);
    return wants;
  }

  describe() {
    this.describeStrip();
    const [y, mine, theirs] = this.views;
    this.describeMap(y, this.lead);
    this.describeRatio(mine, this.lead);
    this.describeRatio(theirs, this.rival);
    if (this.viewer.dragging) return;
    const { lead, rival } = this.laboratory.pair;
    if (this.laboratory.channel === null) return this.say("");
    const bits = this.costs?.[this.laboratory.channel];
    const cost = bits === undefined ? "" : bits < OFF ? ", off here" : `, ${short(bits)}\u202fbits here`;
    const alike = short(this.laboratory.likeness);
    const beside =
      rival && this.laboratory.partner !== null
        ? ` Beside it ${rival.title}, channel ${this.laboratory.partner}: the most alike (correlation ${alike}).`
        : "";
    this.say(
      `y is stored, rounded: a value for ${lead.stride} × ${lead.stride} pixels. ${lead.title}, channel ` +
        `${this.laboratory.channel}${cost}${this.wakes()}.${beside} Hatched: too near 0 to divide by.`,
    );
  }

  /** From which λ on the chosen channel costs a bit or more, in words; nothing until all frames say so. */
  wakes() {
    const { lead } = this.laboratory.pair;
    const ladder = this.viewer.ladderOf(lead);
    const files = ladder.frames.filter((f) => !f.extra).sort((a, b) => a.at - b.at);
    const costs = files.map((f) => ladder.get(f, "by_channel")?.[this.laboratory.channel]);
    if (files.length < (ladder.info?.total ?? 1) || costs.includes(undefined)) return "";
    const off = costs.findLastIndex((cost) => cost < OFF);
    if (off < 0) return ", awake at every λ";
    return off === files.length - 1 ? "" : `, awake from λ ${lambdaText(files[off + 1].lmbda)} on`;
  }

  describeStrip() {
    const { strip, thumbs } = this;
    const shown = this.channels.slice(0, Math.floor(this.width / THUMB));
    while (strip.children.length > shown.length) strip.lastChild.remove();
    while (strip.children.length < shown.length) strip.append(this.thumb());
    const [rows, columns] = thumbs.ladder?.info?.places ?? []; // another picture may be on show by now
    strip.dataset.at = thumbs.frame?.at ?? "";
    shown.forEach((channel, i) => {
      const button = strip.children[i];
      const off = this.costs && this.costs[channel] < OFF;
      if (thumbs.asset && button.dataset.key !== `${thumbs.frame.file} ${channel}`) {
        const plane = thumbs.asset.subarray(i * rows * columns, (i + 1) * rows * columns);
        drawPlane(button.firstChild, "y", plane, largest(plane), columns, rows);
        button.dataset.key = `${thumbs.frame.file} ${channel}`;
      }
      button.toggleAttribute("data-off", Boolean(off));
      button.setAttribute("aria-pressed", String(channel === this.laboratory.channel));
      if (button.dataset.channel !== String(channel)) {
        button.dataset.channel = channel;
        button.title = `channel ${channel}`;
        setText(button.lastChild, `${channel}`);
      }
      button.setAttribute("aria-label", `channel ${channel}${off ? ", off at this λ" : ""}`);
    });
  }

  thumb() {
    const onclick = (event) => this.laboratory.choose(+event.currentTarget.dataset.channel);
    return h("button", { type: "button", onclick }, h("canvas"), h("span"));
  }

  describeMap(view, look) {
    const { canvas, title, text } = view;
    view.value.hidden = true;
    if (!look?.now.asset) return this.empty(view, "y");
    const { codec, channel, now, ladder } = look;
    const top = Math.max(1e-9, largest(now.asset));
    setText(title, `y, channel ${channel}, λ ${lambdaText(now.frame.lmbda)}`);
    this.paint(view, "y", now.asset, top, ladder);
    const [low, high] = ends(now.asset);
    setText(text, `${codec.short}: from ${short(low)} to ${short(high)}`);
    canvas.setAttribute("aria-label", `${title.textContent}: ${text.textContent}`);
  }

  describeRatio(view, look) {
    const { canvas, title, text, value } = view;
    if (!look?.now.asset || !look.reference) return this.empty(view, look ? "ratio" : "");
    const { codec, now, reference, ladder } = look;
    const { values, mean, constancy, masked } = ratioOf(reference.asset, now.asset, this.viewer.manifest.mask_share);
    setText(title, `${codec.short}: y(${lambdaText(reference.frame.lmbda)}) / y(${lambdaText(now.frame.lmbda)})`);
    const itself = reference.frame === now.frame;
    const one = constancy < 1e-4;
    value.hidden = !one;
    if (one) setText(value, short(mean));
    this.paint(view, "ratio", values, mean, ladder);
    view.bar.hidden ||= one;
    if (one) tint(canvas, codec.colour);
    const said = !Number.isFinite(mean)
      ? "nothing to divide by"
      : itself
        ? "divided by itself: move λ"
        : one
          ? "one value, the same at every place"
          : `${short(mean)} on average, varies by ${percent(constancy)}`;
    setText(text, masked > 0.005 && !one ? `${said}; ${percent(masked)} hatched` : said);
    canvas.setAttribute("aria-label", `${title.textContent}, ${rateText(codec, now.frame)}: ${text.textContent}`);
  }

  paint({ canvas, bar, element }, kind, values, top, ladder) {
    element.toggleAttribute("data-empty", false);
    const [rows, columns] = ladder.info.places;
    drawPlane(canvas, kind, values, top, columns, rows);
    canvas.parentElement.style.setProperty("--shape", `${columns} / ${rows}`);
    const { css, labels, second } = scale(kind, top);
    const [gradient, other, ...texts] = bar.children;
    bar.hidden = !Number.isFinite(top);
    if (gradient.style.background !== css) gradient.style.background = css;
    other.hidden = !second;
    if (second) other.style.background = second;
    for (const [i, node] of texts.entries()) setText(node, labels[i]);
  }

  empty({ title, text, value, bar, element }, what) {
    element.toggleAttribute("data-empty", true);
    setText(title, what);
    setText(text, what ? "computing …" : "");
    value.hidden = bar.hidden = true;
  }
}

const largest = (plane) => plane.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const ends = (plane) => plane.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);

/** All that is painted in one colour: a map that has one value. */
function tint(canvas, colour) {
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "source-in";
  context.fillStyle = `color-mix(in srgb, ${colour} 45%, white)`;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
}

/** Of the planes in `all` the one with the largest |correlation| with `plane`: [its channel, the correlation]. `kept`:
 *  the channels that `all` holds, where it does not hold every one. */
export function mostAlike(plane, all, kept) {
  const n = plane.length;
  const centred = (values, from) => {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += values[from + i] / n;
    const out = new Float64Array(n);
    let size = 0;
    for (let i = 0; i < n; i++) {
      out[i] = values[from + i] - mean;
      size += out[i] ** 2;
    }
    return [out, Math.sqrt(size)];
  };
  const [a, size] = centred(plane, 0);
  let best = [null, 0];
  for (let row = 0; row * n < all.length; row++) {
    const [b, other] = centred(all, row * n);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += a[i] * b[i];
    const r = sum / (size * other);
    if (Math.abs(r) > Math.abs(best[1])) best = [kept ? kept[row] : row, r];
  }
  return best;
}
