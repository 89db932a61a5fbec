// Panel: what the second codec pays or saves over λ where it is as good as the first: the sentence on top, at every λ.
import { h } from "./dom.js";
import { MEASURES, price } from "./headline.js";
import { lambdaText } from "./numbers.js";
import { Panel } from "./panel.js";
import { drawing, label, moveDot, points } from "./plot.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [46, 12, 8, 20];
const COLOURS = { psnr_db: "var(--mv-accent)", ms_ssim_db: "var(--mv-second)" };

export class PricePanel extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.axes = drawing("g", { class: "axes" });
    this.lines = drawing("g");
    this.now = drawing("path", { class: "now" });
    this.dots = Object.keys(MEASURES).map(() => drawing("circle", { r: 5, class: "dot" }));
    this.svg = drawing(
      "svg",
      { role: "img", "aria-label": "Who pays: not there yet" },
      this.axes,
      this.now,
      this.lines,
      ...this.dots,
    );
    const names = Object.entries(MEASURES).map(([measure, name]) =>
      h("li", {}, h("i", { class: "line", style: `border-top: 2px solid ${COLOURS[measure]}` }), `equal ${name}`),
    );
    this.body.append(h("figure", { class: "curve" }, this.svg, h("ul", { class: "names" }, ...names)));
  }

  describe() {
    const [first, second] = this.laboratory.rivals;
    if (first?.axis !== "lmbda" || !second) return this.say("Choose a codec that follows λ for the first side.");
    const [a, b] = [first, second].map((codec) => this.viewer.ladderOf(codec));
    const key = JSON.stringify([this.width, this.height, a.id, b.id, a.frames.length, b.frames.length]);
    const { all, text } = this.laboratory.progress(first, second);
    if (key !== this.key) this.draw(first, second, a, b);
    this.svg.style.display = all ? "" : "none";
    if (!all) return this.say(`${text} measured so far.`);
    this.key = key;
    const at = this.laboratory.fileOf(first)?.at;
    const x = this.x(this.viewer.index);
    this.now.setAttribute("d", `M${x} ${TOP}V${this.box[1] - BOTTOM}`);
    Object.keys(MEASURES).forEach((measure, i) => {
      const found = this.found[measure].find((p) => p.at === at);
      moveDot(this.dots[i], found && this.spot(found), COLOURS[measure]);
    });
  }

  draw(first, second, a, b) {
    const files = a.frames.filter((f) => f.bytes).sort((one, other) => one.at - other.at);
    this.found = Object.fromEntries(
      Object.keys(MEASURES).map((measure) => {
        const all = files.map((f) => ({ at: f.at, lmbda: f.lmbda, ...price(f, b.frames, measure) }));
        return [measure, all.filter((p) => p.bytes !== undefined)]; // else there is no equal quality to compare at
      }),
    );
    const [wide, high] = [Math.max(160, this.width), Math.max(80, this.height - 22)];
    this.box = [wide, high];
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
    this.svg.style.height = `${high}px`;
    const shares = Object.values(this.found).flatMap((all) => all.map((p) => p.share));
    const [low, top] = [Math.min(-0.02, ...shares) * 1.1, Math.max(0.02, ...shares) * 1.1];
    const { last } = this.viewer.manifest.rate;
    this.x = (index) => LEFT + (index / last) * (wide - LEFT - RIGHT);
    const y = (v) => high - BOTTOM - ((v - low) / (top - low)) * (high - TOP - BOTTOM);
    this.spot = ({ at, share }) => [this.x(at), y(share)];
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((s) => (top - low) / s <= 6) ?? 1;
    const ticks = [];
    for (let i = Math.ceil(low / step); i * step <= top; i++) ticks.push(i * step);
    const percent = (v) => `${v > 1e-9 ? "+" : v < -1e-9 ? "−" : ""}${Math.abs(100 * v).toFixed(0)}\u202f%`;
    this.axes.replaceChildren(
      ...this.viewer.trainedMarks().map(([index, value]) => label(this.x(index), high - 6, "middle", `${value}`)),
      ...ticks.flatMap((v) => [
        drawing("path", { d: `M${LEFT} ${y(v)}H${wide - RIGHT}`, class: Math.abs(v) < 1e-9 ? "zero" : "" }),
        label(LEFT - 5, y(v) + 4, "end", percent(v)),
      ]),
    );
    this.lines.replaceChildren(
      ...Object.entries(this.found).flatMap(([measure, all]) => [
        drawing("polyline", { points: points(all.map(this.spot)), fill: "none", style: `stroke: ${COLOURS[measure]}` }),
      ]),
    );
    const said = Object.entries(this.found)
      .map(([measure, all]) => worth(all, MEASURES[measure]))
      .filter(Boolean);
    this.say(
      `What ${second.title} needs for the quality of ${first.title} at each λ: above 0 it pays, with more bytes; ` +
        `below 0 it saves. ${said.join(" ")}`,
    );
    this.svg.setAttribute("aria-label", this.caption.textContent);
  }
}

/** Where the second codec pays more bytes than the first and where it saves some, in words. `all`: by rising λ. */
export function worth(all, name) {
  if (!all.length) return "";
  const pays = all.map((p) => p.share > 0);
  const turns = all.filter((_, i) => i && pays[i] !== pays[i - 1]);
  const [low, high] = pays[0] ? ["pays", "saves"] : ["saves", "pays"];
  if (!turns.length) return `At equal ${name} it ${low} at every λ compared.`;
  const count = pays.filter(Boolean).length;
  if (turns.length > 1) return `At equal ${name} it pays at ${count} of ${all.length} λ and saves at the others.`;
  return `At equal ${name} it ${low} below λ ${lambdaText(turns[0].lmbda)} and ${high} from there on.`;
}
