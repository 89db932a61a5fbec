// In the panel Gains, where the host computes at once: m and d of a channel can be moved by hand, and a channel of the
// bottleneck switched off. What comes of it is a codec of its own beside the trained one.
import { h } from "./dom.js";
import { short } from "./numbers.js";
import { drawing } from "./plot.js";

const REACH = 4; // octaves up and down
const KEY_STEP = 0.25; // octaves
const SETTLE_MS = 350; // after the last key

export class Hands {
  constructor(panel) {
    this.panel = panel;
    this.held = null; // the grip in a hand, and where: {layer, octaves}
    this.grips = ["m", "d"].map((gain) => this.grip(gain));
    this.marks = drawing("g", { class: "grips" }, ...this.grips);
    const button = (text, title, onclick) => h("button", { type: "button", text, title, onclick });
    this.off = button("Switch off", "Every symbol of this channel becomes 0", () => this.switchOff());
    this.reset = button("As trained", "All gains as they were trained, all channels on", () => this.set({}));
    this.element = h("div", { class: "hands", role: "group", "aria-label": "By hand" }, this.off, this.reset);
  }

  get hand() {
    const { factors = {}, off = [] } = this.panel.viewer.host.hands.get(this.codec.id) ?? {};
    return { factors, off };
  }

  set(hand) {
    this.panel.viewer.host.hands.set(this.codec.id, hand);
  }

  /** Octaves by which a layer's gain of the channel has been moved, not counting what is in a hand: room for it. */
  reach(layer) {
    if (!layer || !this.codec) return undefined;
    return Math.log2(this.hand.factors[layer]?.[this.channel] ?? 1);
  }

  /** Octaves by which a person has moved a layer's gain of the channel. */
  moved(layer) {
    return this.held?.layer === layer ? this.held.octaves : this.reach(layer);
  }

  put(layer, octaves) {
    const { factors, off } = this.hand;
    const changed = { ...factors[layer], [this.channel]: 2 ** octaves };
    if (!octaves) delete changed[this.channel];
    this.set({ factors: { ...factors, [layer]: changed }, off });
  }

  switchOff() {
    const { factors, off } = this.hand;
    const there = off.includes(this.channel);
    this.set({ factors, off: there ? off.filter((c) => c !== this.channel) : [...off, this.channel] });
  }

  grip(gain) {
    const mark = drawing("circle", { r: 9, class: "grip", tabindex: 0, role: "slider" });
    const layer = () => this.layers[gain];
    mark.addEventListener("pointerdown", (event) => {
      mark.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.held = { layer: layer(), octaves: this.moved(layer()) };
    });
    mark.addEventListener("pointermove", (event) => {
      if (!this.held || this.held.layer !== layer()) return;
      const y = this.panel.heightAt(event.clientY);
      this.hold(layer(), this.panel.octavesAt(y) - Math.log2(this.values[gain]));
    });
    const done = () => {
      if (!this.held) return;
      const { octaves } = this.held;
      this.held = null;
      this.put(layer(), octaves);
    };
    mark.addEventListener("pointerup", done);
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
      if (!step && event.key !== "Home") return;
      event.preventDefault();
      event.stopPropagation();
      this.hold(layer(), step ? this.moved(layer()) + step * KEY_STEP : 0);
      clearTimeout(this.settle);
      this.settle = setTimeout(done, SETTLE_MS);
    });
    return mark;
  }

  hold(layer, octaves) {
    this.held = { layer, octaves: Math.min(REACH, Math.max(-REACH, octaves)) };
    this.panel.viewer.schedule();
  }

  /** `spots`: of the trained gains at the λ at hand, {m: {layer, value}, d: …}. */
  describe(codec, channel, spots) {
    Object.assign(this, { codec, channel });
    this.layers = { m: spots.m?.layer, d: spots.d?.layer };
    this.values = { m: spots.m?.value, d: spots.d?.value };
    for (const [i, gain] of ["m", "d"].entries()) {
      const { layer, value } = spots[gain] ?? {};
      const mark = this.grips[i];
      mark.style.display = value ? "" : "none";
      if (!value) continue;
      const octaves = this.moved(layer);
      const [x, y] = this.panel.spot(Math.log2(value) + octaves);
      mark.setAttribute("cx", x);
      mark.setAttribute("cy", y);
      mark.setAttribute("fill", spots[gain].colour);
      mark.setAttribute("aria-label", `${gain} of channel ${channel} in ${layer}, by hand`);
      mark.setAttribute("aria-valuemin", -REACH);
      mark.setAttribute("aria-valuemax", REACH);
      mark.setAttribute("aria-valuenow", octaves.toFixed(2));
      mark.setAttribute("aria-valuetext", `${short(value * 2 ** octaves)}, trained ${short(value)}`);
    }
    const { factors, off } = this.hand;
    const isOff = off.includes(channel);
    this.off.textContent = `Channel ${channel} ${isOff ? "on" : "off"}`;
    this.off.setAttribute("aria-pressed", String(isOff));
    this.reset.disabled = !off.length && !Object.values(factors).some((changed) => Object.keys(changed).length);
  }
}
