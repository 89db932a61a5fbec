// A blind test: the MAE against bottleneck scaling at equal bytes, called A and B in an order drawn by chance; and the
// votes of a room, pooled by codes.
import { h } from "../../viewer/js/dom.js";
import { bytesText, decibels, lambdaText, percent } from "../../viewer/js/numbers.js";
import { lmbdaAt } from "./rates.js";
import { mount } from "./viewer.bundle.js"; // beside the page
import { encode, interval, pooled } from "./votes.js";

const ANSWERS = ["A looks better", "B looks better", "I see no difference"];
const HIGHEST = 256; // λ = 1024: above it hardly anyone sees a difference
const STEP = 16;
const CLOSE = 0.01; // of equal bytes

const drawn = (count) => crypto.getRandomValues(new Uint32Array(1))[0] % count;

export class Blind {
  /** `site`: what shows it: {manifest, remote, ladders, keys, say, open, close}; `pair`: the two codecs. */
  constructor(site, pair) {
    this.site = site;
    this.pair = pair;
    this.who = drawn(4096);
    this.turn = 0;
    this.counts = { first: 0, second: 0, neither: 0 };
    this.root = h("div", { class: "blind-stage" });
    this.said = h("p", { class: "told", role: "status" });
    this.answers = h("div", { class: "saving", role: "group", "aria-label": "Your answer" });
    this.tally = h("p", { class: "tally" });
    this.element = h(
      "section",
      { class: "blind", "aria-label": "Blind test" },
      h("h2", { text: "Blind test" }),
      h("p", {
        text:
          "A and B are the same photograph in files of equal size, one by the MAE, one by bottleneck scaling. Look " +
          "for blurred texture and ringing edges: zoom in, wipe, blink; key O shows the original.",
      }),
      this.answers,
      this.said,
      this.tally,
      this.root,
    );
  }

  /** A round: two files of equal size at a rate drawn by chance, in an order drawn by chance. */
  async round() {
    const turn = ++this.turn;
    this.answers.replaceChildren();
    this.said.textContent = "Coding a pair of equal size …";
    try {
      const found = await this.drawPair(turn);
      if (turn === this.turn) this.show(found);
    } catch (error) {
      if (turn === this.turn) this.said.textContent = error.message;
    }
  }

  async drawPair(turn) {
    const rates = Array.from({ length: HIGHEST / STEP + 1 }, (_, i) => i * STEP);
    while (rates.length && turn === this.turn) {
      const [at] = rates.splice(drawn(rates.length), 1);
      const first = await this.file(this.pair[0], at);
      const second = await this.nearest(this.pair[1], first.bytes, at, turn);
      if (second) return [first, second];
    }
    throw new Error("bottleneck scaling makes no file of this picture as small as the MAE's: choose another picture.");
  }

  async file(codec, at) {
    const { frame } = await this.site.remote.frame({ key: this.site.keys[0], codec, at, maps: false });
    return { codec, ...frame };
  }

  /** The file of a codec nearest to so many bytes; null where none comes near. Log bytes grow with the rate, almost in
   *  a straight line. */
  async nearest(codec, bytes, start, turn) {
    const made = [];
    const off = (file) => Math.abs(Math.log(file.bytes / bytes));
    let at = start;
    while (turn === this.turn) {
      made.push(await this.file(codec, at));
      const best = made.reduce((a, b) => (off(b) < off(a) ? b : a));
      if (off(best) < CLOSE) return best;
      const low = made.filter((file) => file.bytes < bytes).reduce((a, b) => (a && a.at > b.at ? a : b), null);
      const high = made.filter((file) => file.bytes >= bytes).reduce((a, b) => (a && a.at < b.at ? a : b), null);
      const t = low && high && Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
      if (low && high) at = Math.min(high.at - 1, Math.max(low.at + 1, Math.round(low.at + t * (high.at - low.at))));
      else at = low ? Math.min(codec.last, low.at + STEP) : Math.max(codec.first, high.at - STEP);
      if (made.some((file) => file.at === at)) return off(best) < 2 * CLOSE ? best : null;
    }
    return null;
  }

  show(files) {
    this.order = drawn(2) ? files : files.toReversed();
    this.files = files;
    this.answers.replaceChildren(
      ...ANSWERS.map((text, i) => h("button", { type: "button", text, onclick: () => this.give(i) })),
      h("button", { type: "button", text: "End the test", onclick: () => this.site.endBlind() }),
    );
    this.said.textContent = "";
    this.draw(true);
  }

  draw(blind) {
    const { manifest } = this.site;
    const { laboratory: _, whole: __, part: ___, ...plain } = manifest;
    const panes = this.order.map(({ codec, at }) => ({ codec: codec.id, layer: "picture", follow: "own", own: at }));
    const codecs = manifest.codecs.filter(({ id, axis }) => axis === "none" || this.pair.some((one) => one.id === id));
    this.viewer = mount(
      this.root,
      { ...plain, title: "A and B", codecs, panes, blind },
      { ...this.site.host, report: undefined },
    );
  }

  give(answer) {
    const preferred = this.order[answer];
    const name = !preferred ? "neither" : preferred === this.files[0] ? "first" : "second";
    this.counts[name]++;
    const lines = this.order.map(
      ({ codec, at, bytes, psnr_db: db }, i) =>
        `${"AB"[i]} was ${codec.title}, λ = ${lambdaText(+lmbdaAt(at).toFixed(1))}: ${bytesText(bytes)}\u202fbytes, ` +
        `PSNR ${decibels(db)}.`,
    );
    const sizes = this.order.map(({ bytes }) => bytes);
    const apart = percent(1 - Math.min(...sizes) / Math.max(...sizes));
    this.said.textContent = `${ANSWERS[answer]}. ${lines.join(" ")} The two files differ by ${apart}.`;
    this.answers.replaceChildren(
      h("button", { type: "button", text: "Next round", onclick: () => this.round() }),
      h("button", { type: "button", text: "End the test", onclick: () => this.site.endBlind() }),
    );
    const { first, second, neither } = this.counts;
    this.tally.replaceChildren(
      `So far: MAE ${first}, bottleneck scaling ${second}, no difference ${neither}. Your code for the room's count: `,
      h("b", { class: "code", text: encode(this.counts, this.who) }),
    );
    this.draw(false);
  }

  close() {
    this.turn++;
    this.viewer?.close();
    this.element.remove();
  }
}

/** Where the codes of a room are added up, as elements of a dialog. */
export function pool() {
  const result = h("p", { role: "status", text: "No codes yet." });
  const text = h("textarea", {
    rows: 6,
    "aria-label": "Codes",
    placeholder: "Type or paste the codes of the room, in any order",
    oninput: () => {
      const { people, first, second, neither, wrong } = pooled(text.value);
      const decided = first + second;
      const [low, high] = interval(first, decided).map((share) => Math.round(100 * share));
      const whose = people === 1 ? "1 person" : `${people} people`;
      const share = Math.round((100 * first) / decided);
      const preferences = decided === 1 ? "preference" : "preferences";
      const said = [
        people ? `${whose}: MAE ${first}, bottleneck scaling ${second}, no difference ${neither}.` : "No codes yet.",
        decided &&
          `Of ${decided} ${preferences} ${share}\u202f% are for the MAE ` +
            `(95\u202f% interval ${low} to ${high}\u202f%).`,
        wrong.length && `Not a code, misread perhaps: ${wrong.join(", ")}.`,
      ];
      result.textContent = said.filter(Boolean).join(" ");
    },
  });
  return [
    h("h2", { text: "Votes of a room" }),
    h("p", {
      text: "Each phone shows its code below its blind test. Nothing is sent: read them out, or have them in a chat.",
    }),
    text,
    result,
  ];
}
