// Panel: what λ multiplies the chosen channel by, over λ: m in the encoder, d in the decoder's layer that faces it, and
// what would undo m. A moving dot on each; beside them the scale of the rival's channel.
import { fill, h } from "./dom.js";
import { Hands } from "./hands.js";
import { short } from "./numbers.js";
import { Panel, take } from "./panel.js";
import { drawing, label, moveDot, points } from "./plot.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [38, 16, 8, 20];

export class GainsPanel extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.axes = drawing("g", { class: "axes" });
    this.lines = drawing("g");
    this.now = drawing("path", { class: "now" });
    this.dots = drawing("g");
    this.svg = drawing(
      "svg",
      { role: "img", "aria-label": "Gains over λ: not there yet" },
      this.axes,
      this.now,
      this.lines,
      this.dots,
    );
    this.names = h("ul", { class: "names" });
    this.body.append(h("figure", { class: "curve" }, this.svg, this.names));
    this.hands = this.viewer.host.hands ? new Hands(this) : null;
    if (this.hands) {
      this.svg.append(this.hands.marks);
      this.svg.setAttribute("role", "group");
    }
    this.layer = null;
    this.besideRival = true;
    this.layers = h("select", { "aria-label": "Layers", onchange: (e) => this.chosen({ layer: e.target.value }) });
    if (this.hands) this.extras.append(this.hands.element);
    this.extras.append(h("span", { class: "chooser" }, this.layers));
  }

  resolve() {
    const { lead, rival } = this.laboratory.pair;
    const { index } = this.viewer;
    const wants = [];
    const trained = this.viewer.manifest.codecs.find((c) => c.id === lead?.from) ?? lead;
    this.of = [trained, rival].filter(Boolean).map((codec) => {
      const ladder = this.viewer.ladderOf(codec);
      const found = take(ladder, "by_channel", index);
      wants.push(found.want);
      return { codec, ladder, frame: found.frame };
    });
    return wants;
  }

  /** Pairs of an encoder's layer and the decoder's that faces it, the bottleneck's first: [name, rows of m and d]. */
  get pairs() {
    const layers = this.of[0]?.ladder.info?.layers ?? [];
    return ["", "h"].flatMap((part) => {
      const [m, d] = ["m", "d"].map((gain) => layers.filter((name) => name.startsWith(`${part}${gain}`)));
      return m.toReversed().map((name, i) => [`${name}, ${d[i]}`, layers.indexOf(name) + 1, layers.indexOf(d[i]) + 1]);
    });
  }

  /** The gains of one row and channel over all frames that are here: [{at, lmbda, value}]. */
  over({ ladder }, row, channel) {
    const all = ladder.frames
      .filter((f) => ladder.get(f, "by_channel"))
      .map((f) => ({ frame: f, value: ladder.get(f, "by_channel")[row * ladder.info.channels + channel] }));
    return all.sort((a, b) => a.frame.at - b.frame.at);
  }

  curves() {
    const [lead, rival] = this.of;
    const { pairs } = this;
    const pair = pairs.find(([name]) => name === this.layer) ?? pairs[0];
    const { channel } = this.laboratory;
    if (!pair || channel === null) return [];
    const { colour } = lead.codec;
    const m = this.over(lead, pair[1], channel);
    if (!m.length) return [];
    const [encoder, decoder] = pair[0].split(", ");
    const d = this.over(lead, pair[2], channel);
    const curves = [
      { name: "m(λ), encoder", colour, points: m, dot: lead, layer: encoder },
      { name: "d(λ), decoder", colour: "var(--mv-second)", points: d, dot: lead, layer: decoder },
      { name: "1/m", colour: "var(--mv-second)", dash: "5 4", points: m.map((p) => ({ ...p, value: 1 / p.value })) },
    ];
    const { partner } = this.laboratory;
    if (rival && pair === pairs[0] && partner !== null)
      curves.push({
        name: `s(λ), ${rival.codec.short}`,
        colour: rival.codec.colour,
        points: this.over(rival, 1, partner),
        dot: rival,
      });
    return curves;
  }

  describe() {
    fill(
      this.layers,
      this.pairs.map(([name], i) => [name, i ? name : `${name} (bottleneck)`]),
      this.layer ?? this.pairs[0]?.[0],
    );
    const curves = this.curves();
    this.svg.style.display = curves.length ? "" : "none";
    if (!curves.length) return this.say("computing …");
    const { channel } = this.laboratory;
    const key = JSON.stringify([
      this.width,
      this.height,
      channel,
      this.layer,
      curves.map((c) => [c.name, c.points.length, this.hands?.reach(c.layer)]),
    ]);
    if (key !== this.key) this.draw(curves);
    this.key = key;
    const moving = curves.filter((c) => c.dot);
    while (this.dots.children.length < moving.length) this.dots.append(drawing("circle", { r: 5, class: "dot" }));
    [...this.dots.children].forEach((dot, i) => {
      const curve = moving[i];
      const point = curve?.points.find((p) => p.frame === curve.dot.frame);
      moveDot(dot, point && this.at(point), curve?.colour);
    });
    if (this.hands) this.describeHands(moving);
    const x = this.x(this.viewer.index);
    this.now.setAttribute("d", `M${x} ${TOP}V${this.box[1] - BOTTOM}`);
    if (this.viewer.dragging) return;
    const [m, d] = curves;
    const products = m.points.map((p, i) => p.value * d.points[i].value);
    const [low, high] = [Math.min(...products), Math.max(...products)];
    this.say(
      `λ multiplies channel ${channel} of these layers by m in the encoder and by d in the decoder. Dashed: 1/m, the ` +
        `exact inverse of m; m · d runs from ${short(low)} to ${short(high)}.` +
        (this.hands ? " Take a ring and move it." : ""),
    );
    this.svg.setAttribute("aria-label", `Gains of channel ${channel} over λ: ${moving.map((c) => c.name).join(", ")}`);
  }

  describeHands(moving) {
    const spots = {};
    for (const [i, gain] of ["m", "d"].entries()) {
      const { layer, colour, points: all, dot } = moving[i];
      spots[gain] = { layer, colour, value: all.find((p) => p.frame === dot.frame)?.value };
    }
    this.hands.describe(this.of[0].codec, this.laboratory.channel, spots);
  }

  /** The height in the drawing of a point of the window, what gain lies there in octaves, and where a gain lies at the
   *  λ at hand. */
  heightAt(clientY) {
    const { top, height } = this.svg.getBoundingClientRect();
    return ((clientY - top) / height) * this.box[1];
  }

  octavesAt(y) {
    const { least, most } = this.range;
    const high = this.box[1];
    return least + ((high - BOTTOM - y) / (high - TOP - BOTTOM)) * (most - least);
  }

  spot(octaves) {
    return [this.x(this.viewer.index), this.y(octaves)];
  }

  draw(curves) {
    const { rate } = this.viewer.manifest;
    const [wide, high] = [Math.max(160, this.width), Math.max(80, this.height - 22)];
    this.box = [wide, high];
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    this.svg.style.height = `${high}px`;
    const values = curves.flatMap((c) => c.points.map((p) => Math.log2(p.value)));
    if (this.hands)
      values.push(...curves.flatMap((c) => c.points.map((p) => Math.log2(p.value) + (this.hands.reach(c.layer) ?? 0))));
    const [least, most] = [Math.min(...values) - 0.3, Math.max(...values) + 0.3];
    this.range = { least, most };
    this.x = (index) => LEFT + (index / rate.last) * (wide - LEFT - RIGHT);
    this.y = (v) => high - BOTTOM - ((v - least) / (most - least)) * (high - TOP - BOTTOM);
    this.at = ({ frame, value }) => [this.x(frame.at), this.y(Math.log2(value))];
    const step = [1, 2, 4, 8].find((s) => (most - least) / s <= 5) ?? 16;
    const ticks = [];
    for (let v = Math.ceil(least / step) * step; v <= most; v += step) ticks.push(v);
    this.axes.replaceChildren(
      ...this.viewer
        .trainedMarks()
        .flatMap(([index, value]) => [
          drawing("path", { d: `M${this.x(index)} ${TOP}V${high - BOTTOM}` }),
          label(this.x(index), high - 6, "middle", `${value}`),
        ]),
      ...ticks.flatMap((v) => [
        drawing("path", { d: `M${LEFT} ${this.y(v)}H${wide - RIGHT}` }),
        label(LEFT - 5, this.y(v) + 4, "end", v < 0 ? `1/${2 ** -v}` : `${2 ** v}`),
      ]),
    );
    this.lines.replaceChildren(
      ...curves.map(({ points: all, colour, dash }) =>
        drawing("polyline", {
          points: points(all.map(this.at)),
          fill: "none",
          style: `stroke: ${colour}`,
          "stroke-dasharray": dash ?? "none",
        }),
      ),
    );
    this.names.replaceChildren(
      ...curves.map(({ name, colour, dash }) =>
        h("li", {}, h("i", { class: "line", style: `border-top: 2px ${dash ? "dashed" : "solid"} ${colour}` }), name),
      ),
    );
  }
}
