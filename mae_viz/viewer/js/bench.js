// The bench, in the place of the sentence on top: how a refinement goes and what to look for, or the brush that says
// what is important in it. A pane's card opens it.
import { SIZES } from "./brush.js";
import { h, setText } from "./dom.js";
import { bytesText, lambdaText, percent } from "./numbers.js";

export class Bench {
  constructor(viewer) {
    this.viewer = viewer;
    this.refinements = viewer.refinements;
    this.brush = viewer.brush;
    this.pane = null; // whose file it is about
    this.build();
  }

  build() {
    const { refinements, brush, viewer } = this;
    const button = (text, title, onclick) => h("button", { type: "button", text, title, onclick });
    const current = () => refinements.current(this.pane);
    this.said = h("p", { class: "told" });
    this.hint = h("p", { class: "hint" });
    this.progress = h("progress", { max: 1, "aria-label": "Steps of the refinement" });
    this.status = h("span", { class: "status", role: "status" });
    this.size = h("input", {
      type: "range",
      min: SIZES.least,
      max: SIZES.most,
      step: 0.01,
      value: SIZES.first,
      oninput: () => this.resize(),
    });
    this.buttons = {
      refine: button("Refine", "Refine the file for what is painted", () => refinements.start(this.pane)),
      seen: button("What I see now", "The part of the picture that can be seen is important", () => this.markSeen()),
      undo: button("Undo", "Take back what was painted last", () => brush.undo()),
      clear: button("Clear", "Nothing is painted", () => brush.clear()),
      stop: button("Stop", "Stop here: the best file stays", () => refinements.stop(current())),
      again: button("Refine here", "Refine the file at this λ", () => refinements.start(this.pane)),
      back: button("Back", "To the λ of the refined file", () => viewer.step(current().at)),
      plain: button("Show plain", "The plain file of this λ, and back", () => this.showPlain(current())),
      compare: button("Compare at equal bytes", "The plain codec beside it, with a file as long", () =>
        refinements.compare(current()),
      ),
      bits: button("Bits that moved", "Open the panel Bits", () => viewer.laboratory.bring("bits")),
      paint: button("Paint importance", "Paint what is important", () => this.paint(this.pane)),
      save: button("Save .mae", "Save the refined file", () => this.save(current())),
      close: h("button", { type: "button", class: "close", text: "✕", onclick: () => this.close() }),
    };
    const tools = h("div", { class: "turns", role: "group", "aria-label": "What can be done" });
    name(this.buttons.close, "✕", "Close");
    this.sized = h("label", { class: "sized" }, "Brush", this.size);
    tools.append(this.sized, ...Object.values(this.buttons));
    this.element = h("section", { class: "bench", "aria-label": "Refinement", hidden: true });
    this.element.append(this.said, this.progress, this.hint, tools, this.status);
  }

  /** The buttons of a pane's card. */
  acts(pane) {
    const refine = h("button", { type: "button", class: "refine", onclick: () => this.refinements.turn(pane) });
    const paint = h("button", { type: "button", class: "paint", text: "Paint", onclick: () => this.paint(pane) });
    return h("div", { class: "acts", role: "group", "aria-label": "Refine", hidden: true }, refine, paint);
  }

  // what people do

  open(pane) {
    this.pane = pane;
    this.brush.turn(false);
    this.viewer.schedule();
  }

  paint(pane) {
    const on = !(this.brush.on && this.pane === pane);
    this.open(pane);
    this.brush.turn(on);
  }

  resize() {
    this.brush.size = +this.size.value;
    this.viewer.schedule();
  }

  markSeen() {
    this.allSeen = !this.brush.markSeen();
    this.viewer.schedule();
  }

  showPlain(refinement) {
    refinement.hidden = !refinement.hidden;
    this.viewer.changed(false);
  }

  async save({ frame, ladder, plain }) {
    const { host, manifest } = this.viewer;
    const href = URL.createObjectURL(await host.bytes(ladder.id, frame.stream));
    h("a", { href, download: `${manifest.title}-${plain.id}-refined-${lambdaText(frame.lmbda)}.mae` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }

  close() {
    const focus = this.pane.acts.querySelector("button");
    this.pane = null;
    this.brush.turn(false);
    this.viewer.draw();
    focus.focus();
  }

  // what stands there

  describeActs(pane) {
    const { acts } = pane;
    acts.hidden = !this.refinements.offered(pane);
    if (acts.hidden || this.viewer.dragging) return;
    const [refine, paint] = acts.children;
    const works = this.refinements.worksIn(pane);
    const { title } = pane.plain;
    name(refine, works ? "Stop" : "Refine", works ? "Stop refining: the best file stays" : `Refine ${title} at this λ`);
    name(paint, "Paint", `Paint what is important, for ${title}`);
    paint.setAttribute("aria-pressed", String(this.brush.on && this.pane === pane));
  }

  describe() {
    const { viewer, refinements, brush, element, buttons } = this;
    viewer.element.toggleAttribute("data-painting", brush.on && !viewer.whole);
    if (viewer.dragging) return;
    if (!viewer.panes.includes(this.pane)) this.pane = null;
    const offered = Boolean(this.pane && refinements.offered(this.pane));
    const painting = offered && brush.on;
    const refinement = offered && !painting ? refinements.current(this.pane) : null;
    element.hidden = !(painting || refinement);
    viewer.laboratory.say.hidden = !element.hidden;
    if (element.hidden) return;
    const here = refinement?.at === this.pane.at;
    const there = Boolean(refinement?.frame);
    const works = Boolean(refinement?.works);
    const shown = {
      refine: painting,
      seen: painting,
      undo: painting,
      clear: painting,
      stop: works,
      again: refinement && !works,
      back: there && !here,
      plain: there && here,
      compare: there && here && !refinement.hidden,
      bits: there && here && !viewer.laboratory.kinds.includes("bits"),
      paint: refinement && !works,
      save: there && !works,
      close: true,
    };
    for (const [key, node] of Object.entries(buttons)) node.hidden = !shown[key];
    this.sized.hidden = !painting;
    this.progress.hidden = !works;
    buttons.refine.disabled = !brush.mask();
    buttons.undo.disabled = buttons.clear.disabled = !brush.marks.length;
    const state = painting ? "painting" : stateOf(refinement);
    Object.assign(element.dataset, { state, here });
    if (painting) this.describeBrush();
    else this.describeRefinement(refinement, here);
    const news = painting ? brush.share : refinement.at;
    if (this.announced !== `${state} ${news}`) {
      this.announced = `${state} ${news}`;
      setText(this.status, this.said.textContent);
    }
  }

  describeBrush() {
    const { share, marks, stroke } = this.brush;
    const known = marks.length ? `${percent(share)} of the picture is painted` : "nothing is painted yet";
    const much = stroke ? "…" : known;
    const all = this.allSeen && !this.viewer.view.zoom ? " All of it can be seen now: zoom in first." : "";
    setText(this.said, `Paint what is important in the picture: ${much}${stroke ? "" : "."}${all}`);
    setText(
      this.hint,
      "Drag over it; two fingers move and zoom. Or zoom in and say that it is what you see now. Refine then looks " +
        "for a file as long as the plain one that spends its bits there.",
    );
    this.size.setAttribute("aria-valuetext", `${Math.round(this.brush.width)} pixels of the picture`);
  }

  describeRefinement(refinement, here) {
    const { told, at } = refinement;
    this.progress.value = told && !told.waits ? told.step / told.steps : 0;
    const where = `λ ${lambdaText(this.viewer.lmbdaAt(at))}`;
    setText(this.buttons.again, here ? "Refine again" : "Refine here");
    setText(this.buttons.back, `Back to ${where}`);
    this.buttons.plain.setAttribute("aria-pressed", String(refinement.hidden));
    const moved = here ? "" : `Shown is the plain file: the refined one is at ${where}. `;
    setText(this.said, moved + sentence(refinement, where));
    setText(this.hint, this.whatToLookFor(refinement, here));
  }

  whatToLookFor(refinement, here) {
    if (refinement.fault) return "";
    if (!here) return "Each refined file belongs to one λ: go back to it, or have the file of this λ refined too.";
    const bits = this.viewer.laboratory.kinds.includes("bits")
      ? "in Bits, orange places have more bits than before and blue ones fewer"
      : "the panel Bits shows which places gained bits and which lost some";
    const first = refinement.mask
      ? "what is painted gains more than the rest, at the same number of bytes"
      : refinement.works
        ? "the point leaves the plain curve, to the left or up"
        : "fewer bytes or more dB than the plain curve has there";
    return `What to look for now: ${first}; ${bits}. The decoder is the same.`;
  }
}

const signed = (v, digits) => `${v < 0 ? "−" : "+"}${Math.abs(v).toFixed(digits)}`;
const db = (v) => (v === "inf" ? Infinity : v);

/** A button's text, and what it is for. */
function name(button, text, title) {
  setText(button, text);
  if (button.title === title) return;
  button.title = title;
  button.setAttribute("aria-label", title);
}

function stateOf({ fault, works, told, stopped }) {
  if (fault) return "failed";
  if (works) return told?.waits ? "waiting" : "working";
  return stopped ? "stopped" : "done";
}

/** How a refinement goes, in words. */
function sentence(refinement, where) {
  const { told, fault, frame, works, plain } = refinement;
  if (fault) return `${plain.title} at ${where} cannot be refined: ${fault}`;
  if (works && (!told || told.waits)) return `${plain.title} at ${where} is to be refined: ${turn(told)}.`;
  if (!frame && works) return `${plain.title} at ${where} is being refined: the first look is coming.`;
  if (!frame) return `${plain.title} at ${where}: stopped before there was a better file.`;
  const { bytes, bpp, psnr_db } = frame;
  const numbers = `${bytesText(bytes)}\u202fbytes, ${bpp.toFixed(3)}\u202fbpp, ${db(psnr_db).toFixed(2)}\u202fdB`;
  const coded = refinement.mask ? `, coded at λ ${lambdaText(frame.lmbda)}` : "";
  const against = `${difference(told.trail[0], frame)} against the plain file`;
  return `${refinement.codec.title}, ${where}: ${numbers}${coded}. ${against} (${stand(refinement)}).${parts(told)}`;
}

const turn = (told) => {
  const before = told?.before ?? 0;
  if (!before) return "it waits for its turn";
  return before > 1 ? `${before} others come first` : "another one comes first";
};

function stand({ works, stopped, told: { step, steps, seconds, seconds_left: left } }) {
  if (works) return `step ${step} of ${steps}${left === undefined ? "" : `, ${Math.ceil(left)}\u202fs left`}`;
  if (stopped) return `stopped at step ${step} of ${steps}, the best file stays`;
  return `${steps} steps in ${seconds.toFixed(0)}\u202fs`;
}

/** What a file has more or less than the plain one. */
function difference(plain, file) {
  const more = file.bytes - plain.bytes;
  const bytes = `${more < 0 ? "−" : "+"}${bytesText(Math.abs(more))}\u202fbytes`;
  const share = signed((100 * more) / plain.bytes, 1);
  return `${bytes} (${share}\u202f%), ${signed(db(file.psnr_db) - db(plain.psnr_db), 2)}\u202fdB`;
}

/** dB of what is painted and of the rest, before and after. */
function parts({ painted, rest }) {
  if (!painted) return "";
  const said = ({ before_db: a, after_db: b }) =>
    `${db(a).toFixed(2)} → ${db(b).toFixed(2)}\u202fdB (${signed(db(b) - db(a), 2)})`;
  return ` Painted: ${said(painted)}; elsewhere: ${said(rest)}.`;
}
