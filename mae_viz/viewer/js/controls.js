// What stands around the panes: the λ slider with its marks, the buttons, the stage that wipe and blink share.
import limits from "../panes.json" with { type: "json" };
import { Curve } from "./curve.js";
import { h, setText } from "./dom.js";
import { keyList } from "./input.js";
import { Laboratory } from "./laboratory.js";
import { lambdaText, percent } from "./numbers.js";
import { STEPS } from "./view.js";

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    const { button } = this;
    const set = (label, ...children) => h("div", { class: "set", role: "group", "aria-label": label }, ...children);
    this.slider = h("input", {
      type: "range",
      class: "rate",
      min: 0,
      step: 1,
      "aria-label": "λ, the weight of the error against the rate",
    });
    this.output = h("output");
    this.rule = h("span", { class: "rule" });
    this.ticks = h("div", { class: "ticks", role: "group", "aria-label": "trained λ" });
    this.modes = Object.fromEntries(
      Object.entries({ side: "Side by side", wipe: "Wipe", blink: "Blink" }).map(([mode, text]) => [
        mode,
        button(text, text, () => viewer.chooseMode(mode)),
      ]),
    );
    this.zooms = Object.fromEntries(
      [0, ...STEPS].map((s) => [
        s,
        button(s ? percent(s) : "Fit", s ? `Zoom ${percent(s)}` : "Fit the picture into the pane", () =>
          viewer.view.zoomTo(s),
        ),
      ]),
    );
    this.fewer = button("−", "One pane fewer", () => viewer.setCount(viewer.panes.length - 1));
    this.more = button("+", "One pane more", () => viewer.setCount(viewer.panes.length + 1));
    this.count = h("span", { class: "count" });
    this.whole = button("Whole picture", "Show the whole picture, exact at the λ released", () =>
      viewer.setWhole(!viewer.whole),
    );
    this.lock = button("Same colours at all λ", "Maps keep one colour scale for all λ", () =>
      viewer.set({ lockRange: !viewer.lockRange }),
    );
    this.help = button("Keys", "Keyboard shortcuts", () => this.toggleKeys(), { "aria-expanded": "false" });
    this.keys = keyList();
    this.match = button(
      "Match bytes",
      "Bring the others to the bytes of the first that follows λ, and keep them there",
      () => viewer.setMatch("bytes"),
    );
    this.matchQuality = button(
      "Match PSNR",
      "Bring the others to the PSNR of the first that follows λ, and keep them there",
      () => viewer.setMatch("psnr_db"),
    );
    this.curve = new Curve(
      () => viewer.schedule(),
      (codec, frame) => viewer.goTo(codec, frame),
    );
    this.panes = set("Panes", this.fewer, this.count, this.more);
    this.csv = button("CSV", "Save the numbers as CSV", () => viewer.saveCsv());
    const save = set(
      "Save",
      button("PNG", "Save this view as PNG", () => viewer.savePng()),
      this.csv,
    );
    this.rate = h(
      "div",
      { class: "lambda" },
      h("div", { class: "line" }, h("label", { text: "λ" }), this.output, this.rule),
      h("div", { class: "track" }, this.slider, this.ticks),
      h(
        "div",
        { class: "ends", "aria-hidden": "true" },
        h("span", { text: "← smaller file" }),
        h("span", { text: "better picture →" }),
      ),
    );
    this.tools = h(
      "div",
      { class: "tools" },
      set("Compare", ...Object.values(this.modes)),
      set("Zoom", ...Object.values(this.zooms)),
      this.panes,
      set("Match", this.match, this.matchQuality),
      this.whole,
      this.lock,
      save,
      this.help,
    );
    this.buildShared();
    this.grid = h("div", { class: "panes" });
    this.status = h("div", { class: "status", role: "status" });
    this.element = h("div", { class: "mae-viewer", role: "region", "aria-label": "Picture viewer" });
    this.laboratory = viewer.manifest.laboratory ? new Laboratory(viewer, this) : null;
    this.element.append(this.laboratory?.element ?? this.room(), this.status);
  }

  /** Panes and what belongs to them, where there is no laboratory around them. */
  room() {
    const head = h("div", { class: "top" }, h("div", { class: "desk" }, this.rate, this.tools), this.curve.element);
    return h("div", { class: "room" }, head, this.keys, this.shared, this.grid);
  }

  button(text, label, onclick, extra = {}) {
    return h("button", { type: "button", text, "aria-label": label, title: label, onclick, ...extra });
  }

  /** The stage with two pictures in one place, and the handle between them. */
  buildShared() {
    this.handle = h("div", {
      class: "handle",
      role: "slider",
      tabindex: 0,
      "aria-label": "Wipe position",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    });
    this.sharedCanvas = h("canvas");
    this.names = [h("span", { class: "name left" }), h("span", { class: "name right" })];
    this.sharedReadout = h("div", { class: "readout", "aria-hidden": "true", hidden: true });
    this.sharedStage = h(
      "div",
      { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "two pictures in one place" },
      this.sharedCanvas,
      ...this.names,
      this.sharedReadout,
      this.handle,
    );
    this.shared = h("div", { class: "shared", hidden: true }, this.sharedStage);
    this.handle.addEventListener("pointerdown", (event) => this.handle.setPointerCapture(event.pointerId));
    this.handle.addEventListener("pointermove", (event) => {
      if (!this.handle.hasPointerCapture(event.pointerId)) return;
      const box = this.sharedCanvas.getBoundingClientRect();
      this.viewer.moveWipe((event.clientX - box.left) / box.width);
    });
  }

  buildTicks() {
    const { viewer, slider, ticks } = this;
    const { last } = viewer.manifest.rate;
    slider.max = last;
    ticks.replaceChildren(
      ...viewer.trainedMarks().map(([index, value]) =>
        h("button", {
          type: "button",
          text: value,
          "aria-label": `λ ${value}`,
          style: `--at:${index / last}`,
          onclick: () => viewer.step(index),
        }),
      ),
    );
  }

  toggleKeys(on = this.keys.hidden) {
    const changed = this.keys.hidden === on;
    this.keys.hidden = !on;
    this.help.setAttribute("aria-expanded", String(on));
    return changed;
  }

  /** Called once a drawing frame; while λ moves, only what moves with it. */
  describe() {
    const { viewer, element } = this;
    const { manifest, index, mode, panes } = viewer;
    const lambda = lambdaText(viewer.lmbdaAt(index));
    if (+this.slider.value !== index) this.slider.value = index;
    this.slider.setAttribute("aria-valuetext", `λ ${lambda}`);
    setText(this.output, lambda);
    setText(this.rule, viewer.isTrained(index) ? "a λ the networks were trained for" : "between trained λ");
    // on the slider alone: all that inherits it is styled anew
    this.slider.style.setProperty("--at", index / manifest.rate.last);
    element.style.setProperty("--aspect", `${viewer.picture.width} / ${viewer.picture.height}`);
    element.dataset.mode = mode;
    element.toggleAttribute("data-original", Boolean(viewer.originalShown));
    element.toggleAttribute("data-zoomed", viewer.view.zoom > 0);
    element.dataset.panes = panes.length;
    element.toggleAttribute(
      "data-maps",
      panes.some((p) => !["picture", "difference"].includes(p.layer)),
    );
    element.dataset.index = index;
    element.dataset.busy = String(Boolean(viewer.dragging) || panes.some((p) => p.waiting));
    this.shared.hidden = mode === "side";
    if (!this.shared.hidden) this.describeShared();
    if (this.laboratory) this.laboratory.describe();
    else this.curve.describe(manifest.blind ? [] : panes, viewer.dragging);
    if (viewer.dragging) return;
    for (const [name, button] of Object.entries(this.modes)) {
      button.setAttribute("aria-pressed", String(name === mode));
      button.disabled = name !== "side" && panes.length < 2;
    }
    for (const [zoom, button] of Object.entries(this.zooms))
      button.setAttribute("aria-pressed", String(+zoom === viewer.view.zoom));
    for (const [button, kind] of [
      [this.match, "bytes"],
      [this.matchQuality, "psnr_db"],
    ]) {
      button.setAttribute("aria-pressed", String(viewer.matched === kind));
      button.disabled = !viewer.others.length;
    }
    setText(this.count, `${panes.length} pane${panes.length > 1 ? "s" : ""}`);
    this.fewer.disabled = panes.length === 1;
    this.more.disabled = panes.length === limits.most;
    for (const node of [this.rate, this.panes, this.csv, this.match.parentElement]) node.hidden = manifest.blind;
    element.toggleAttribute("data-blind", Boolean(manifest.blind));
    this.whole.hidden = !manifest.whole;
    this.whole.setAttribute("aria-pressed", String(viewer.whole));
    this.lock.hidden = !panes.some((p) => ["bits", "y"].includes(p.layer));
    this.lock.setAttribute("aria-pressed", String(viewer.lockRange));
    for (const pane of panes) pane.stage.setAttribute("aria-label", `${pane.title}: ${pane.summary}`);
    if (element.dataset.busy === "false")
      setText(
        this.status,
        `${manifest.blind ? "" : `λ ${lambda}. `}${panes.map((p) => `${p.title}: ${p.summary}`).join(". ")}`,
      );
  }

  describeShared() {
    const { viewer } = this;
    const [a, b] = viewer.pair;
    const wiping = viewer.mode === "wipe";
    setText(this.names[0], wiping || !viewer.flipped ? a.title : "");
    setText(this.names[1], wiping || viewer.flipped ? b.title : "");
    for (const pane of viewer.panes) {
      pane.element.dataset.side = pane === a ? "left" : pane === b ? "right" : "";
      pane.element.toggleAttribute("data-covered", !wiping && pane === (viewer.flipped ? a : b));
    }
    this.handle.hidden = !wiping;
    this.handle.style.left = `${100 * viewer.wipe}%`;
    this.handle.setAttribute("aria-valuenow", Math.round(100 * viewer.wipe));
    this.sharedStage.setAttribute("aria-label", `${a.title} against ${b.title}`);
  }
}
