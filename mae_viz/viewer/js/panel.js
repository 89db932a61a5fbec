// What panels share: a head that names, swaps, enlarges and closes them, and what they take from ladders.
import { h, setText } from "./dom.js";

/** Bits: a channel that costs less is off. */
export const OFF = 1;

/** What a ladder has of a kind nearest to a rate: the frame, what was fetched of it, and what is still to be fetched.
 *  `alone`: that frame and no other is wanted. */
export function take(ladder, kind, at, channel, alone = false) {
  const frame = ladder.nearest(at, (f) => ladder.get(f, kind, channel));
  const asset = ladder.get(frame, kind, channel);
  const shown = frame && ladder.source(frame, kind, channel).key;
  return { frame, asset, want: { ladder, kind, channel, at, shown, alone } };
}

export class Panel {
  /** `laboratory`: where it stands; `kind`: its name there. */
  constructor(laboratory, kind) {
    this.laboratory = laboratory;
    this.viewer = laboratory.viewer;
    this.kind = kind;
    this.width = this.height = 0;
    this.besideRival = false; // whether it shows the rival's channel that is most like the chosen one
    const button = (text, label, onclick) =>
      h("button", { type: "button", class: "icon", text, "aria-label": label, title: label, onclick });
    this.chooser = h(
      "select",
      { class: "kind", "aria-label": "Panel shown here", onchange: (e) => laboratory.swap(this.kind, e.target.value) },
      ...Object.entries(laboratory.titles).map(([value, text]) => h("option", { value, text })),
    );
    this.chooser.value = kind;
    this.enlarge = button("⤢", `Enlarge ${laboratory.titles[kind]}`, () => laboratory.enlarge(kind));
    this.close = button("✕", `Close ${laboratory.titles[kind]}`, () => laboratory.close(kind));
    this.extras = h("span", { class: "extras" });
    this.body = h("div", { class: "body" });
    this.caption = h("p", { class: "caption" });
    const head = h("header", {}, this.chooser, this.extras, this.enlarge, this.close);
    this.element = h("section", { class: "panel", "data-kind": kind }, head, this.body, this.caption);
    this.element.setAttribute("aria-label", laboratory.titles[kind]);
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      [this.width, this.height] = [contentRect.width, contentRect.height];
      this.viewer.schedule();
    });
    this.sizes.observe(this.body);
    this.inSight = true;
    this.sight = new IntersectionObserver((entries) => {
      this.inSight = entries.at(-1).isIntersecting;
      this.viewer.schedule();
    });
    this.sight.observe(this.element);
  }

  /** Whether it is drawn: while λ moves, only what is not scrolled out of sight. */
  get drawn() {
    return this.width > 0 && this.height > 0 && (this.inSight || !this.viewer.dragging);
  }

  say(text) {
    setText(this.caption, text);
  }

  /** Decides what to show now; returns what must be fetched for it, as `Frames.want` takes it. */
  resolve() {
    return [];
  }

  /** Draws it. Called once a drawing frame where it is `drawn`. */
  describe() {}

  /** A person has chosen something in it. */
  chosen(values) {
    Object.assign(this, values);
    this.viewer.changed(false);
  }

  remove() {
    this.sizes.disconnect();
    this.sight.disconnect();
    this.element.remove();
  }
}
