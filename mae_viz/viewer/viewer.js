// The viewer: one λ drives every pane; one zoom and one place in the picture for all of them.
//
//   const viewer = mount(root, manifest, host)   again on the same root: update(manifest), keeping zoom and choices
//   host.ladder(id, at)  → Promise of {frames: [{at, lmbda, file, bytes, …}], total, complete, …}; `at` asks for one more
//   host.bytes(id, file, start, length) → Promise of an ArrayBuffer; files never change
//   host.report(state)   called when λ is released or a pane chosen: {index, lmbda, panes}
import { Frames } from "./frames.js";
import { listen, listenStage, keyList, nextStep } from "./input.js";
import { csv, lambdaText, save, sheet } from "./numbers.js";
import { Pane, h } from "./pane.js";
import { STEPS, clampView, paint, pixelOf, place, toPicture } from "./stage.js";

const SETTLE_MS = 350; // after the last key
const BLINK_MS = 800; // slower than three flashes a second
const MAX_PANES = 4;

class Viewer {
  constructor(root, host) {
    this.root = root;
    this.host = host;
    this.view = { zoom: 0, x: 0.5, y: 0.5 };
    this.mode = "side";
    this.wipe = 0.5;
    this.gain = 8;
    this.lockRange = false;
    this.panes = [];
    this.frames = new Frames(host, () => this.schedule(), () => (this.dragging ? null : this.index));
    this.sizes = new ResizeObserver((entries) => this.resize(entries));
  }

  build() {
    const button = (text, label, onclick, extra = {}) => h("button", { type: "button", text, "aria-label": label, title: label, onclick, ...extra });
    this.slider = h("input", { type: "range", class: "rate", min: 0, max: this.manifest.rate.last, step: 1, "aria-label": "λ, the weight of the error against the rate" });
    this.output = h("output");
    this.rule = h("span", { class: "rule" });
    this.ticks = h("div", { class: "ticks", role: "group", "aria-label": "trained λ" });
    this.modes = Object.fromEntries(Object.entries({ side: "Side by side", wipe: "Wipe", blink: "Blink" }).map(([mode, text]) => [mode, button(text, text, () => this.setMode(mode))]));
    this.zooms = Object.fromEntries([0, ...STEPS].map((s) => [s, button(s ? `${100 * s} %` : "Fit", s ? `Zoom ${100 * s} %` : "Fit the picture into the pane", () => this.zoomTo(s))]));
    this.fewer = button("−", "One pane fewer", () => this.setCount(this.panes.length - 1));
    this.more = button("+", "One pane more", () => this.setCount(this.panes.length + 1));
    this.count = h("span", { class: "count" });
    this.lock = button("Same colours at all λ", "Maps keep one colour scale for all λ", () => this.set({ lockRange: !this.lockRange }));
    this.help = button("Keys", "Keyboard shortcuts", () => this.toggleKeys(), { "aria-expanded": "false" });
    this.keys = keyList();
    const set = (label, ...children) => h("div", { class: "set", role: "group", "aria-label": label }, ...children);
    this.handle = h("div", { class: "handle", role: "slider", tabindex: 0, "aria-label": "Wipe position", "aria-valuemin": 0, "aria-valuemax": 100 });
    this.sharedCanvas = h("canvas");
    this.sharedNames = [h("span", { class: "name left" }), h("span", { class: "name right" })];
    this.sharedStage = h("div", { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "two pictures in one place" }, this.sharedCanvas, ...this.sharedNames, this.handle);
    this.shared = h("div", { class: "shared", hidden: true }, this.sharedStage);
    this.sharedContext = this.sharedCanvas.getContext("2d", { alpha: false });
    this.grid = h("div", { class: "panes" });
    this.status = h("div", { class: "status", role: "status" });
    const rate = h("div", { class: "lambda" },
      h("div", { class: "line" }, h("label", { text: "λ" }), this.output, this.rule),
      h("div", { class: "track" }, this.slider, this.ticks),
      h("div", { class: "ends", "aria-hidden": "true" }, h("span", { text: "← smaller file" }), h("span", { text: "better picture →" })));
    const tools = h("div", { class: "tools" },
      set("Compare", ...Object.values(this.modes)), set("Zoom", ...Object.values(this.zooms)), set("Panes", this.fewer, this.count, this.more), this.lock,
      set("Save", button("PNG", "Save this view as PNG", () => this.savePng()), button("CSV", "Save the numbers as CSV", () => this.saveCsv())), this.help);
    this.element = h("div", { class: "mae-viewer", role: "region", "aria-label": "Picture viewer" }, rate, tools, this.keys, this.shared, this.grid, this.status);
    this.root.append(this.element);
    this.sizes.observe(this.sharedCanvas);
    this.sizes.observe(this.element);
    listen(this);
    listenStage(this, this.sharedStage, this.sharedCanvas);
    this.handle.addEventListener("pointerdown", (event) => this.handle.setPointerCapture(event.pointerId));
    this.handle.addEventListener("pointermove", (event) => {
      if (!this.handle.hasPointerCapture(event.pointerId)) return;
      const box = this.sharedCanvas.getBoundingClientRect();
      this.moveWipe((event.clientX - box.left) / box.width);
    });
  }

  /** New picture, codecs, rate or panes from the host; what a person chose stays unless the host changed it too. */
  update(manifest) {
    const before = this.manifest, same = (name) => before && JSON.stringify(before[name]) === JSON.stringify(manifest[name]);
    this.manifest = manifest;
    if (!before) this.build();
    if (!same("rate") && !this.dragging) {
      this.index = manifest.rate.index;
      this.buildTicks();
    }
    if (!same("panes")) this.setPanes(manifest.panes);
    this.frames.forgetAllBut(new Set(manifest.codecs.map((c) => c.ladder)));
    this.element.style.setProperty("--aspect", `${manifest.width} / ${manifest.height}`);
    this.changed(false);
  }

  buildTicks() {
    this.slider.max = this.manifest.rate.last;
    this.ticks.replaceChildren(...this.trainedMarks().map(([index, value]) =>
      h("button", { type: "button", text: value, "aria-label": `λ ${value}`, style: `--at:${index / this.manifest.rate.last}`, onclick: () => this.step(index) })));
  }

  // what panes ask of the viewer

  get picture() {
    return this.manifest;
  }

  get original() {
    return this.frames.ladder(this.manifest.codecs.find((c) => c.axis === "none").ladder);
  }

  originalBitmap() {
    return this.original.get(this.original.frames[0], "picture");
  }

  lmbdaAt(index) {
    const { low, steps } = this.manifest.rate;
    return low * 2 ** (index / steps);
  }

  trainedMarks() {
    return this.manifest.rate.trained.map((v) => [Math.round(this.manifest.rate.steps * Math.log2(v / this.manifest.rate.low)), v]);
  }

  isTrained(index, codec) {
    return (codec?.trained ?? this.manifest.rate.trained).some((v) => Math.abs(this.lmbdaAt(index) / v - 1) < 1e-9);
  }

  /** Bytes of the pane that others are matched to: the first that follows λ. */
  referenceBytes(asking) {
    const reference = this.panes.find((p) => p !== asking && p.follow === "shared") ?? this.panes.find((p) => p !== asking && p.follow === "own");
    if (reference) return reference.frame?.bytes;
    const codec = this.manifest.codecs.find((c) => c.axis === "lmbda");
    return codec && this.frames.ladder(codec.ladder).nearest(this.index)?.bytes;
  }

  get frameStep() {
    return this.manifest.rate.frame_step;
  }

  // λ

  drag(index) {
    this.dragging = true;
    this.index = index;
    this.schedule();
  }

  /** λ from a key or a tick: settles by itself. */
  step(index) {
    this.drag(Math.min(this.manifest.rate.last, Math.max(0, Math.round(index))));
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.release(), SETTLE_MS);
  }

  release() {
    clearTimeout(this.settle);
    this.dragging = false;
    this.changed();
  }

  /** Something was chosen: draw it, fetch what it needs, tell the host. */
  changed(report = true) {
    if (!this.dragging && !this.manifest.static)
      for (const ladder of new Set(this.panes.filter((p) => p.follow === "shared").map((p) => p.ladder)))
        if (ladder.info && !ladder.frames.some((f) => f.at === this.index)) this.frames.poll(ladder);
    this.schedule();
    const state = this.state, text = JSON.stringify(state);
    if (report && text !== this.reported) this.host.report?.(state);
    if (report || !this.dragging) this.reported = text; // an update from the host must not swallow a λ still in hand
  }

  get state() {
    return { index: this.index, lmbda: this.lmbdaAt(this.index), panes: this.panes.map((p) => ({ ...p.state })) };
  }

  set(values) {
    Object.assign(this, values);
    this.schedule();
  }

  // panes and modes

  setPanes(states) {
    for (const pane of this.panes) this.sizes.unobserve(pane.canvas);
    this.panes = states.slice(0, MAX_PANES).map((state) => this.newPane(state));
    this.grid.replaceChildren(...this.panes.map((p) => p.element));
    this.active = this.panes.find((p) => p.codec.axis === "lmbda") ?? this.panes[0];
  }

  newPane(state) {
    const pane = new Pane(this, state);
    this.sizes.observe(pane.canvas);
    listenStage(this, pane.stage, pane.canvas);
    return pane;
  }

  setCount(count) {
    if (count < 1 || count > MAX_PANES) return;
    while (this.panes.length > count) {
      const pane = this.panes.pop();
      this.sizes.unobserve(pane.canvas);
      pane.element.remove();
    }
    while (this.panes.length < count) {
      const used = new Set(this.panes.map((p) => p.codec.id));
      const codec = this.manifest.codecs.find((c) => !used.has(c.id)) ?? this.manifest.codecs[0];
      this.panes.push(this.newPane({ codec: codec.id }));
      this.grid.append(this.panes.at(-1).element);
    }
    if (!this.panes.includes(this.active)) this.active = this.panes[0];
    if (count < 2) this.mode = "side";
    this.changed();
  }

  activate(pane) {
    if (this.active === pane) return;
    this.active = pane;
    this.schedule();
  }

  /** The two panes that wipe and blink compare: the active one against the first, or the first two. */
  get pair() {
    const [first] = this.panes;
    return [first, this.active === first ? this.panes[1] ?? first : this.active];
  }

  setMode(mode) {
    if (mode !== "side" && this.panes.length < 2) return;
    const focused = this.element.getRootNode().activeElement, onStage = focused?.classList.contains("stage") || focused === this.handle;
    this.mode = mode;
    if (onStage) {
      // the stage in focus is about to be hidden: the keys go on in the one that takes its place
      this.shared.hidden = mode === "side";
      this.element.dataset.mode = mode;
      (mode === "side" ? this.active.stage : this.sharedStage).focus();
    }
    clearInterval(this.blinking);
    this.flipped = false;
    if (mode === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches)
      this.blinking = setInterval(() => this.element.isConnected && this.flip(false), BLINK_MS);
    this.schedule();
  }

  flip(byHand = true) {
    if (byHand) clearInterval(this.blinking);
    this.flipped = !this.flipped;
    this.schedule();
  }

  moveWipe(share) {
    this.wipe = Math.min(1, Math.max(0, share));
    this.schedule();
  }

  showOriginal(on) {
    if (this.originalShown === on) return;
    this.originalShown = on;
    this.schedule();
  }

  nextChannel(step) {
    const pane = this.active, ranked = pane.ladder.info?.kept ?? pane.frame?.rank;
    if (!ranked || !["y", "ratio"].includes(pane.layer)) return;
    const i = ranked.indexOf(pane.channel);
    pane.choose({ channel: ranked[(i + step + ranked.length) % ranked.length] });
  }

  toggleKeys(on = this.keys.hidden) {
    const changed = this.keys.hidden === on;
    this.keys.hidden = !on;
    this.help.setAttribute("aria-expanded", String(on));
    return changed;
  }

  // zoom and place

  get leading() {
    return this.mode === "side" ? this.active.canvas : this.sharedCanvas;
  }

  zoomTo(zoom) {
    this.view.zoom = zoom;
    this.schedule();
  }

  zoomBy(direction, canvas = this.leading, point = [canvas.width / 2, canvas.height / 2]) {
    const { scale } = place(this.view, this.picture, canvas);
    const fit = Math.min(canvas.width / this.picture.width, canvas.height / this.picture.height);
    this.zoomAt(canvas, ...point, nextStep(scale, fit, direction));
  }

  /** Zoom so that the picture point under (x, y) stays there. */
  zoomAt(canvas, x, y, zoom) {
    const before = place(this.view, this.picture, canvas);
    const u = (x - before.left) / before.scale, v = (y - before.top) / before.scale;
    this.view.zoom = zoom && Math.min(STEPS.at(-1), Math.max(0.05, zoom));
    const { scale } = place(this.view, this.picture, canvas);
    this.view.x = (u + (canvas.width / 2 - x) / scale) / this.picture.width;
    this.view.y = (v + (canvas.height / 2 - y) / scale) / this.picture.height;
    clampView(this.view, this.picture, canvas);
    this.schedule();
  }

  /** After a pinch: to the nearest exact step, or to fit below it. */
  snapZoom(canvas) {
    const { scale } = place(this.view, this.picture, canvas);
    const fit = Math.min(canvas.width / this.picture.width, canvas.height / this.picture.height);
    const nearest = STEPS.reduce((a, b) => (Math.abs(Math.log(b / scale)) < Math.abs(Math.log(a / scale)) ? b : a));
    this.zoomAt(canvas, canvas.width / 2, canvas.height / 2, scale <= fit * 1.1 ? 0 : nearest);
  }

  /** Move the picture by canvas pixels. */
  pan(dx, dy, canvas = this.leading) {
    const { scale } = place(this.view, this.picture, canvas);
    this.view.x -= dx / (scale * this.picture.width);
    this.view.y -= dy / (scale * this.picture.height);
    clampView(this.view, this.picture, canvas);
    this.schedule();
  }

  /** The cursor is at canvas point `here` of a stage; null: it left. */
  point(stage, canvas, here) {
    this.cursor = null;
    if (stage) {
      const [x, y] = toPicture(place(this.view, this.picture, canvas), ...here);
      if (x >= 0 && y >= 0 && x < this.picture.width && y < this.picture.height) this.cursor = [x, y];
    }
    this.schedule();
  }

  resize(entries) {
    for (const entry of entries) {
      if (entry.target.tagName !== "CANVAS") continue;
      const box = entry.devicePixelContentBoxSize?.[0];
      const ratio = globalThis.devicePixelRatio || 1;
      const width = box ? box.inlineSize : Math.round(entry.contentRect.width * ratio);
      const height = box ? box.blockSize : Math.round(entry.contentRect.height * ratio);
      if (width && height && (entry.target.width !== width || entry.target.height !== height)) [entry.target.width, entry.target.height] = [width, height];
    }
    this.draw(); // now, not in the next frame: setting the size has cleared the canvas
  }

  // drawing

  schedule() {
    if (this.scheduled || this.closed) return;
    this.element.dataset.busy = "true"; // until the drawing says otherwise
    this.scheduled = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.scheduled);
    this.scheduled = null;
    if (this.closed || !this.manifest) return;
    const wants = [];
    // panes that match another's bytes come after those that have bytes of their own
    const order = [...this.panes].sort((a, b) => (a.follow === "bytes") - (b.follow === "bytes"));
    for (const pane of order) wants.push(...pane.resolve());
    wants.push({ ladder: this.original, kind: "picture", at: 0 });
    this.frames.want(wants);
    if (!this.dragging || !this.background) this.background = getComputedStyle(this.panes[0].stage).backgroundColor;
    if (this.mode === "side") for (const pane of this.panes) this.paintPane(pane, pane.context);
    else this.paintShared();
    this.describe();
    this.drawn?.();
  }

  shownIn(pane) {
    const bitmap = this.originalShown && this.originalBitmap();
    return bitmap ? { kind: "picture", bitmap } : pane.shown;
  }

  paintPane(pane, context) {
    const spot = place(this.view, this.picture, context.canvas);
    paint(context, spot, this.picture, this.shownIn(pane), { background: this.background, dragging: this.dragging });
    this.placeCross(pane, spot, context.canvas);
  }

  placeCross({ cross, readout }, spot, canvas) {
    cross.hidden = !this.cursor || this.mode !== "side";
    readout.hidden = cross.hidden;
    if (cross.hidden) return;
    const ratio = canvas.width / canvas.clientWidth, size = Math.max(spot.scale, 5) / ratio;
    const middle = (offset, at) => (offset + (at + 0.5) * spot.scale) / ratio - size / 2;
    cross.style.cssText = `width:${size}px;height:${size}px;transform:translate(${middle(spot.left, this.cursor[0])}px,${middle(spot.top, this.cursor[1])}px)`;
  }

  paintShared() {
    const context = this.sharedContext, { width, height } = this.sharedCanvas, [a, b] = this.pair;
    const spot = place(this.view, this.picture, this.sharedCanvas), options = { background: this.background, dragging: this.dragging };
    if (this.mode === "blink") paint(context, spot, this.picture, this.shownIn(this.flipped ? b : a), options);
    else {
      const cut = Math.round(this.wipe * width);
      for (const [pane, left, right] of [[a, 0, cut], [b, cut, width]]) {
        context.save();
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.beginPath();
        context.rect(left, 0, right - left, height);
        context.clip();
        paint(context, spot, this.picture, this.shownIn(pane), options);
        context.restore();
      }
    }
  }

  describe() {
    const { element, manifest, index } = this, lmbda = this.lmbdaAt(index), set = (node, text) => node.textContent !== text && (node.textContent = text);
    if (+this.slider.value !== index) this.slider.value = index;
    this.slider.setAttribute("aria-valuetext", `λ ${lambdaText(lmbda)}`);
    set(this.output, lambdaText(lmbda));
    set(this.rule, this.isTrained(index) ? "a λ the networks were trained for" : "between trained λ");
    this.element.style.setProperty("--at", index / manifest.rate.last);
    for (const pane of this.panes) {
      pane.describe();
      pane.element.toggleAttribute("data-active", pane === this.active && this.panes.length > 1);
    }
    if (this.cursor && this.mode === "side") for (const pane of this.panes) set(pane.readout, pane.value(...this.cursor, pixelOf));
    element.dataset.mode = this.mode;
    element.toggleAttribute("data-zoomed", this.view.zoom > 0);
    element.dataset.panes = this.panes.length;
    element.dataset.index = index;
    element.dataset.busy = String(Boolean(this.dragging) || this.panes.some((p) => p.waiting));
    this.shared.hidden = this.mode === "side";
    if (!this.shared.hidden) this.describeShared(set);
    if (this.dragging) return;
    for (const [mode, button] of Object.entries(this.modes)) {
      button.setAttribute("aria-pressed", String(mode === this.mode));
      button.disabled = mode !== "side" && this.panes.length < 2;
    }
    for (const [zoom, button] of Object.entries(this.zooms)) button.setAttribute("aria-pressed", String(+zoom === this.view.zoom));
    set(this.count, `${this.panes.length} pane${this.panes.length > 1 ? "s" : ""}`);
    this.fewer.disabled = this.panes.length === 1;
    this.more.disabled = this.panes.length === MAX_PANES;
    this.lock.hidden = !this.panes.some((p) => ["bits", "y"].includes(p.layer));
    this.lock.setAttribute("aria-pressed", String(this.lockRange));
    for (const pane of this.panes) pane.stage.setAttribute("aria-label", `${pane.title}: ${pane.summary}`);
    if (element.dataset.busy === "false") set(this.status, `λ ${lambdaText(lmbda)}. ${this.panes.map((p) => `${p.title}: ${p.summary}`).join(". ")}`);
  }

  describeShared(set) {
    const [a, b] = this.pair, wiping = this.mode === "wipe";
    set(this.sharedNames[0], wiping || !this.flipped ? a.title : "");
    set(this.sharedNames[1], wiping || this.flipped ? b.title : "");
    this.handle.hidden = !wiping;
    this.handle.style.left = `${100 * this.wipe}%`;
    this.handle.setAttribute("aria-valuenow", Math.round(100 * this.wipe));
    this.sharedStage.setAttribute("aria-label", `${a.title} against ${b.title}`);
  }

  // saving

  get fileName() {
    return `${this.manifest.title}-lambda-${lambdaText(this.lmbdaAt(this.index))}`.replace(/[^\p{L}\p{N}.-]+/gu, "-");
  }

  savePng() {
    this.draw();
    const style = getComputedStyle(this.element);
    const look = { background: getComputedStyle(this.help).backgroundColor, text: style.color, font: style.fontFamily };
    const tiles = this.mode === "side"
      ? this.panes.map((p) => ({ canvas: p.canvas, title: p.title, numbers: p.summary }))
      : [{ canvas: this.sharedCanvas, title: this.pair.map((p) => p.title).join(" | "), numbers: this.pair.map((p) => p.summary).join("   |   ") }];
    sheet(tiles, look).toBlob((blob) => save(blob, `${this.fileName}.png`), "image/png");
  }

  saveCsv() {
    const panes = this.panes.map((p) => ({ codec: p.codec, ladder: p.ladder, frame: p.frame }));
    save(new Blob(["\ufeff", csv(this.manifest, panes)], { type: "text/csv" }), `${this.fileName}.csv`);
  }

  close() {
    this.closed = true;
    clearInterval(this.blinking);
    clearTimeout(this.settle);
    this.sizes.disconnect();
    this.frames.close();
    this.element?.remove();
  }
}

const viewers = new WeakMap();

/** Show `manifest` in `root`; called again on the same root it updates the viewer that is there. */
export function mount(root, manifest, host) {
  let viewer = viewers.get(root);
  if (!viewer || viewer.closed) viewers.set(root, (viewer = new Viewer(root, host)));
  viewer.host = viewer.frames.host = host;
  viewer.update(manifest);
  return viewer;
}
