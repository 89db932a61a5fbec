// The viewer: one λ drives every pane; one zoom and one place in the picture for all of them.
//
//   const viewer = mount(root, manifest, host)   again on the same root: update(manifest), keeping zoom and choices
//   host.ladder(id, at, inPanes) → Promise of {frames: [{at, lmbda, file, bytes, …}], total, complete, …}; `at` asks
//                        for more, the first `inPanes` of them for panes and the others for what stands beside them
//   host.bytes(id, file, parts) → Promise of a Blob: these [start, length] one after the other, or the whole file;
//                        files never change
//   host.refine(id, at, mask) → Promise of the id of a ladder, of the same picture refined at one rate; `mask`: packed
//                        bytes or null; host.letGo(id): nothing of it is waited for any more. Without them nothing is
//                        refined
//   host.hands           {get(codec), set(codec, hand)} of a codec's id, where gains can be moved by hand: hand is
//                        {factors: {layer: {channel: factor}}, off: [channels]}; the host answers with a codec of its
//                        own, whose `from` names the trained one
//   host.keep(where, moved), host.recalled()   where the viewer looks, whenever that may have changed (`moved`: by
//                        hand, just now); and where it looked when what is now on show was on show before, null where
//                        that is not asked for
//   host.report(state)   called when λ is released or a pane chosen: {index, lmbda, panes, serial}; a manifest that
//                        answers an older serial does not undo what was chosen since
import limits from "../panes.json" with { type: "json" };
import { Brush } from "./brush.js";
import { Controls } from "./controls.js";
import { setText } from "./dom.js";
import { Frames } from "./frames.js";
import { listen, listenStage } from "./input.js";
import { csv, lambdaText } from "./numbers.js";
import { paintPane, paintShared } from "./painting.js";
import { Pane } from "./pane.js";
import { Refinements } from "./refining.js";
import { saveCsv, savePng } from "./saving.js";
import { pixelOf } from "./stage.js";
import { View } from "./view.js";

const SETTLE_MS = 350; // after the last key
const BLINK_MS = 800; // slower than three flashes a second

class Viewer {
  constructor(root, host) {
    this.root = root;
    this.host = host;
    this.view = new View(
      () => this.picture,
      () => this.leading,
      () => this.looked(),
    );
    this.whole = false;
    this.channel = null; // what maps show until one is chosen: the costliest where λ was at first
    this.serial = 0;
    this.mode = "side";
    this.wipe = 0.5;
    this.gain = 8;
    this.lockRange = false;
    this.panes = [];
    this.refinements = new Refinements(this);
    this.brush = new Brush(this);
    this.frames = new Frames(
      host,
      () => this.schedule(),
      (ladder) => this.exact(ladder),
      () => this.picture.width * this.picture.height,
      (ladder) => this.inPanes(ladder),
    );
    this.sizes = new ResizeObserver((entries) => this.resize(entries));
  }

  build() {
    this.controls = new Controls(this);
    const { element, slider, handle, sharedStage, sharedCanvas, laboratory } = this.controls;
    Object.assign(this, { element, slider, handle, sharedStage, sharedCanvas, laboratory });
    this.sharedContext = sharedCanvas.getContext("2d", { alpha: false });
    this.root.append(element);
    this.sizes.observe(sharedCanvas);
    this.sizes.observe(element);
    this.hands = new AbortController();
    listen(this, this.hands.signal);
    listenStage(this, sharedStage, sharedCanvas);
  }

  /** New picture, codecs, rate or panes from the host; what a person chose stays unless the host changed it too. */
  update(manifest) {
    const before = this.manifest;
    const same = (name) => before && JSON.stringify(before[name]) === JSON.stringify(manifest[name]);
    const current = (manifest.answers ?? this.serial) >= this.serial; // else the person has gone on meanwhile
    this.manifest = manifest;
    if (!before) this.build();
    const shown = before && JSON.stringify(this.state);
    if (!same("rate") && !this.dragging) {
      if (current || !before) this.index = manifest.rate.index;
      this.controls.buildTicks();
    }
    if (!manifest.whole) this.whole = false;
    if (!before || (!same("panes") && current)) this.setPanes(manifest.panes);
    const { laboratory } = manifest;
    if (laboratory && (!before || (!same("laboratory") && current))) {
      this.laboratory.update(laboratory);
      this.setMode(laboratory.mode);
    }
    this.forget();
    this.lookAt(this.host.recalled?.());
    this.changed(false);
    // what a link or a button elsewhere on the page has brought here is to be seen
    if (before && JSON.stringify(this.state) !== shown) this.element.scrollIntoView({ block: "start" });
  }

  /** Zoom, place, divider and active pane: what a visit that comes back finds as it was. */
  get where() {
    const { zoom, x, y } = this.view;
    return { zoom, x, y, wipe: this.wipe, active: this.panes.indexOf(this.active) };
  }

  /** Someone looks elsewhere: kept at once, for who leaves the page may do so before it is drawn. */
  looked() {
    this.host.keep?.(this.where, true);
    this.schedule();
  }

  lookAt(where) {
    if (!where) return;
    const { zoom, x, y, wipe, active } = where;
    Object.assign(this.view, { zoom, x, y });
    this.wipe = wipe;
    this.active = this.panes[active] ?? this.active;
  }

  /** Only the ladders of this picture stay; of the whole one and its part only those on show. */
  forget() {
    const { codecs, whole } = this.manifest;
    const plain = codecs.map((c) => c.ladder);
    const refined = this.refinements.keep(new Set(plain));
    this.brush.forget();
    this.frames.forgetAllBut(
      new Set(this.whole ? [...Object.values(whole.ladders), ...refined] : [...plain, ...refined]),
    );
  }

  // what panes ask of the viewer

  /** What the panes show: the manifest's picture, or the whole one that it is a part of. */
  get picture() {
    return this.whole ? this.manifest.whole : this.manifest;
  }

  ladderOf(codec) {
    return this.frames.ladder(this.whole ? this.manifest.whole.ladders[codec.id] : codec.ladder);
  }

  get original() {
    return this.ladderOf(this.manifest.codecs.find((c) => c.axis === "none"));
  }

  originalBitmap() {
    return this.original.get(this.original.frames[0], "picture");
  }

  lmbdaAt(index) {
    const { low, steps } = this.manifest.rate;
    return low * 2 ** (index / steps);
  }

  trainedMarks() {
    return this.manifest.rate.trained.map((v) => [
      Math.round(this.manifest.rate.steps * Math.log2(v / this.manifest.rate.low)),
      v,
    ]);
  }

  isTrained(index, codec) {
    return (codec?.trained ?? this.manifest.rate.trained).some((v) => Math.abs(this.lmbdaAt(index) / v - 1) < 1e-9);
  }

  /** The frame that others are matched to: of the first pane that follows λ. */
  reference(asking) {
    const reference =
      this.panes.find((p) => p !== asking && p.follow === "shared") ??
      this.panes.find((p) => p !== asking && p.follow === "own");
    if (reference) return reference.frame;
    const codec = this.manifest.codecs.find((c) => c.axis === "lmbda");
    return codec && this.ladderOf(codec).nearest(this.index);
  }

  /** The panes that are brought to the first one that follows λ. */
  get others() {
    const first = this.panes.find((p) => p.codec.axis === "lmbda") ?? null;
    return this.panes.filter((p) => first && p !== first && p.codec.axis !== "none");
  }

  /** What all others are held at, "bytes" or "psnr_db"; null where they are not. */
  get matched() {
    const [kind, ...more] = new Set(this.others.map((p) => p.follow));
    return !more.length && ["bytes", "psnr_db"].includes(kind) ? kind : null;
  }

  /** Hold the others at equal bytes or PSNR while λ moves; the same again lets them go. */
  setMatch(kind) {
    const on = this.matched !== kind;
    for (const pane of this.others) {
      const free = pane.codec.axis === "lmbda" ? { follow: null, own: null } : { follow: "own", own: pane.at ?? null };
      Object.assign(pane.state, on ? { follow: kind, own: null } : free);
    }
    this.changed();
  }

  get frameStep() {
    return this.manifest.rate.frame_step;
  }

  /** The rates of a ladder that panes want exactly, now that λ rests, and the sentence above them after those. */
  exact(ladder) {
    if (this.dragging || this.manifest.static) return [];
    return [...new Set([...this.inPanes(ladder), ...(this.laboratory?.awaited(ladder) ?? [])])];
  }

  /** Those of them that panes want. */
  inPanes(ladder) {
    const panes = this.panes.filter((p) => p.plainLadder === ladder);
    return [...new Set(panes.flatMap((p) => [...p.exact, ...p.divisor]))];
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
    for (const ladder of new Set(this.panes.map((p) => p.plainLadder)))
      if (ladder.info && this.frames.lacks(ladder)) this.frames.poll(ladder);
    this.schedule();
    const state = this.state;
    const text = JSON.stringify(state);
    if (report && text !== this.reported) {
      this.serial = Math.max(Date.now(), this.serial + 1);
      this.host.report?.({ ...state, serial: this.serial });
    }
    if (report || !this.dragging) this.reported = text; // an update from the host must not swallow a λ still in hand
  }

  get state() {
    const panes = this.panes.map((p) => ({ ...p.state, channel: ["y", "ratio"].includes(p.layer) ? p.channel : null }));
    const laboratory = this.laboratory ? { mode: this.mode, panels: this.laboratory.kinds } : {};
    return { index: this.index, lmbda: this.lmbdaAt(this.index), panes, ...laboratory };
  }

  set(values) {
    Object.assign(this, values);
    this.schedule();
  }

  /** λ to a model's frame; a pane that has a rate of its own, or a classical codec, takes it alone. */
  goTo(codec, frame) {
    const panes = this.panes.filter((p) => p.plain.id === codec.id);
    if (panes.some((p) => p.follow === "shared")) return this.step(frame.at);
    for (const pane of panes) Object.assign(pane.state, { follow: "own", own: frame.at });
    this.changed();
  }

  // panes and modes

  /** Panes as they are told: those that are there take new states, so that focus and choosers stay. */
  setPanes(states) {
    states = states.slice(0, limits.most);
    this.resizePanes(states.length, (i) => states[i]);
    for (const [i, pane] of this.panes.entries()) pane.assume(states[i]);
    this.active = this.panes.find((p) => p.codec.axis === "lmbda") ?? this.panes[0];
    if (this.panes.length < 2) this.setMode("side");
  }

  resizePanes(count, state) {
    while (this.panes.length > count) {
      this.removePane(this.panes.pop());
    }
    while (this.panes.length < count) {
      this.panes.push(this.newPane(state(this.panes.length)));
      this.controls.grid.append(this.panes.at(-1).element);
    }
  }

  newPane(state) {
    const pane = new Pane(this, state);
    this.sizes.observe(pane.canvas);
    listenStage(this, pane.stage, pane.canvas);
    return pane;
  }

  removePane(pane) {
    this.sizes.unobserve(pane.canvas);
    pane.element.remove();
  }

  /** One pane and another beside it, alone, under the wipe. */
  besides(pane, state) {
    const other = this.panes.find((p) => p !== pane) ?? this.newPane(state);
    for (const one of this.panes) if (one !== pane && one !== other) this.removePane(one);
    this.panes = [pane, other];
    this.controls.grid.append(...this.panes.map((p) => p.element));
    other.assume(state);
    this.active = pane;
    this.setMode("wipe");
    this.changed();
  }

  /** The first two change places. */
  swapSides() {
    const [a, b] = this.pair;
    if (a === b) return;
    const [i, j] = [this.panes.indexOf(a), this.panes.indexOf(b)];
    [this.panes[i], this.panes[j]] = [b, a];
    this.controls.grid.append(...this.panes.map((p) => p.element));
    this.changed();
  }

  setCount(count) {
    if (count < 1 || count > limits.most) return;
    const { codecs } = this.manifest;
    this.resizePanes(count, () => ({
      codec: (codecs.find((c) => !this.panes.some((p) => p.plain === c)) ?? codecs[0]).id,
    }));
    if (!this.panes.includes(this.active)) this.active = this.panes[0];
    if (count !== 2) this.setMode("side"); // where all of them are seen
    this.changed();
  }

  /** The whole of a large picture, or the part that λ is scrubbed in; what was in the middle stays there. */
  setWhole(on) {
    const from = this.picture;
    this.whole = on;
    this.view.move(from, this.picture, this.manifest.part);
    this.forget();
    this.changed(false);
  }

  activate(pane) {
    if (this.active === pane) return;
    this.beside = this.active; // what a shared stage goes on to show beside the first
    this.active = pane;
    this.looked();
  }

  /** The pane on whose side of a shared stage a point lies. */
  activateAt(x) {
    const [a, b] = this.pair;
    this.activate(x < this.wipe * this.sharedCanvas.width ? a : b);
  }

  /** The two panes that wipe and blink compare: the active one against the first, or the first two. */
  get pair() {
    const [first, second = first] = this.panes;
    const other = this.active === first ? this.beside : this.active;
    return [first, other !== first && this.panes.includes(other) ? other : second];
  }

  setMode(mode) {
    if (mode !== "side" && this.panes.length < 2) return;
    const focused = this.element.getRootNode().activeElement;
    const onStage = focused?.classList.contains("stage") || focused === this.handle;
    this.mode = mode;
    if (onStage) {
      // the stage in focus is about to be hidden: the keys go on in the one that takes its place
      this.controls.shared.hidden = mode === "side";
      this.element.dataset.mode = mode;
      (mode === "side" ? this.active.stage : this.sharedStage).focus();
    }
    clearInterval(this.blinking);
    this.flipped = false;
    if (mode === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches)
      this.blinking = setInterval(() => this.element.isConnected && this.flip(false), BLINK_MS);
    this.schedule();
  }

  /** A mode chosen by a key; the same again goes back to the one before. */
  turnMode(mode) {
    const [now, before] = [this.mode, this.modeBefore ?? "side"];
    this.chooseMode(now === mode ? before : mode);
    this.modeBefore = now;
  }

  chooseMode(mode) {
    this.modeBefore = this.mode;
    this.setMode(mode);
    this.changed();
  }

  flip(byHand = true) {
    if (byHand) clearInterval(this.blinking);
    this.flipped = !this.flipped;
    this.schedule();
  }

  moveWipe(share) {
    this.wipe = Math.min(1, Math.max(0, share));
    this.looked();
  }

  showOriginal(on) {
    if (this.originalShown === on) return;
    this.originalShown = on;
    this.schedule();
  }

  nextChannel(step) {
    const pane = this.active;
    const ranked = pane.ladder.info?.kept ?? pane.frame?.rank;
    if (!ranked || !["y", "ratio"].includes(pane.layer)) return;
    const i = ranked.indexOf(pane.channel);
    pane.choose({ channel: ranked[(i + step + ranked.length) % ranked.length] });
  }

  /** The canvas that keys move and zoom in. */
  get leading() {
    return this.mode === "side" ? this.active.canvas : this.sharedCanvas;
  }

  /** The cursor is at point `here` of a canvas, or has left. */
  point(canvas, here) {
    this.cursor = canvas ? this.view.pixelAt(canvas, ...here) : null;
    this.schedule();
  }

  resize(entries) {
    for (const entry of entries) {
      if (entry.target.tagName !== "CANVAS") continue;
      const box = entry.devicePixelContentBoxSize?.[0];
      const ratio = globalThis.devicePixelRatio || 1;
      const width = box ? box.inlineSize : Math.round(entry.contentRect.width * ratio);
      const height = box ? box.blockSize : Math.round(entry.contentRect.height * ratio);
      if (width && height && (entry.target.width !== width || entry.target.height !== height))
        [entry.target.width, entry.target.height] = [width, height];
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
    this.channel ??=
      this.panes.map((p) => p.ladder.nearest(this.index)?.rank?.[0]).find((c) => c !== undefined) ?? null;
    // panes that match another's bytes come after those that have bytes of their own
    const order = [...this.panes].sort((a, b) => a.matches - b.matches);
    for (const pane of order) wants.push(...pane.resolve());
    for (const pane of order) pane.prepare();
    if (this.laboratory) wants.push(...this.laboratory.resolve());
    // the original is at hand for key O and for the error under the cursor, but not of large pictures
    if (!this.whole) wants.push({ ladder: this.original, kind: "picture", at: 0 });
    this.frames.want(wants);
    for (const pane of this.panes) if (pane.matches) this.frames.follow(pane.plainLadder);
    if (!this.dragging || !this.background) this.background = getComputedStyle(this.panes[0].stage).backgroundColor;
    if (this.mode === "side") for (const pane of this.panes) paintPane(this, pane);
    else paintShared(this);
    this.describe();
    if (!this.dragging) this.host.keep?.(this.where);
    this.drawn?.();
  }

  shownIn(pane) {
    const bitmap = this.originalShown && this.originalBitmap();
    return bitmap ? { kind: "picture", bitmap } : pane.shown;
  }

  describe() {
    for (const pane of this.panes) {
      pane.describe();
      pane.element.toggleAttribute("data-active", pane === this.active && this.panes.length > 1);
    }
    this.controls.describe();
    this.refinements.trim();
    this.laboratory?.bench.describe();
    if (this.cursor && this.mode === "side")
      for (const pane of this.panes) setText(pane.readout, pane.value(...this.cursor, pixelOf));
    const { sharedReadout } = this.controls;
    sharedReadout.hidden = !this.cursor || this.mode === "side";
    if (!sharedReadout.hidden)
      setText(
        sharedReadout,
        this.pair.map((p) => `${p.codec.short} ${p.value(...this.cursor, pixelOf)}`).join("  |  "),
      );
  }

  get fileName() {
    const name = `${this.manifest.title}-lambda-${lambdaText(this.lmbdaAt(this.index))}`;
    return name.replace(/[^\p{L}\p{N}.-]+/gu, "-");
  }

  /** The view as it stands: every pane with its title and its numbers. */
  savePng() {
    this.draw();
    const { color: text, fontFamily: font } = getComputedStyle(this.element);
    const background = getComputedStyle(this.controls.help).backgroundColor;
    const said = (panes, name, between) => panes.map((pane) => pane[name]).join(between);
    const tile = (canvas, panes) => ({
      canvas,
      title: said(panes, "title", " | "),
      numbers: said(panes, "summary", "   |   "),
    });
    const side = this.mode === "side";
    const tiles = side ? this.panes.map((pane) => tile(pane.canvas, [pane])) : [tile(this.sharedCanvas, this.pair)];
    savePng(tiles, { background, text, font }, this.fileName);
  }

  saveCsv() {
    const further = this.manifest.further.map(({ name }) => name);
    const plain = this.panes.map(({ plain: codec, plainLadder: ladder, refined, frame }) => ({
      codec,
      ladder,
      frame: refined ? null : frame,
    }));
    const refined = this.panes
      .filter((p) => p.refined)
      .map(({ codec, frame }) => ({ codec, ladder: { frames: [frame] }, frame }));
    saveCsv(csv(this.manifest.title, [...plain, ...refined], further), this.fileName);
  }

  close() {
    this.closed = true;
    clearInterval(this.blinking);
    clearTimeout(this.settle);
    this.hands?.abort();
    this.sizes.disconnect();
    this.refinements.close();
    this.frames.close();
    this.laboratory?.remove();
    this.element?.remove();
  }
}

const viewers = new WeakMap();

/** Show `manifest` in `root`; called again on the same root it updates the viewer that is there. */
export function mount(root, manifest, host) {
  const there = viewers.get(root);
  const viewer = there && !there.closed ? there : new Viewer(root, host);
  viewers.set(root, viewer);
  viewer.host = viewer.frames.host = host;
  viewer.update(manifest);
  return viewer;
}
