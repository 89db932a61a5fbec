// The laboratory: the stage and its panels in one window, all driven by one λ; named arrangements; and a sentence on
// top that is computed from the files of the picture on show.
import { Bench } from "./bench.js";
import { BitsPanel } from "./bits_panel.js";
import { CurvePanel } from "./curve_panel.js";
import { h, setSentence, setText } from "./dom.js";
import { GainsPanel } from "./gains_panel.js";
import { balance, headline, MEASURES, toMeasure } from "./headline.js";
import { MapsPanel, mostAlike } from "./maps_panel.js";
import { bytesText, rateText } from "./numbers.js";
import { take } from "./panel.js";
import { PricePanel } from "./price_panel.js";

const CARD = 300; // CSS pixels that a card above a map needs, for choosers in one line

const KINDS = { curve: CurvePanel, price: PricePanel, maps: MapsPanel, gains: GainsPanel, bits: BitsPanel };

export class Laboratory {
  /** `controls`: what it puts in its places. */
  constructor(viewer, controls) {
    this.viewer = viewer;
    this.controls = controls;
    this.titles = viewer.manifest.laboratory.titles;
    this.panels = [];
    this.build();
  }

  build() {
    const { controls, viewer } = this;
    this.arrangements = h("div", { class: "set", role: "group", "aria-label": "Arrangements" });
    this.sentence = h("p", { class: "sentence" });
    this.balance = h("p", { class: "balance" });
    this.say = h("div", { class: "say" }, this.sentence, this.balance);
    this.bench = new Bench(viewer);
    this.swapSides = controls.button("⇄", "Swap the sides", () => viewer.swapSides());
    this.add = h("select", { class: "add", "aria-label": "Open a panel", onchange: (e) => this.open(e.target.value) });
    this.tabs = h("div", { class: "tabs", role: "group", "aria-label": "Panels" });
    for (const [kind, text] of Object.entries(this.titles))
      this.tabs.append(h("button", { type: "button", "data-kind": kind, text, onclick: () => this.front(kind) }));
    this.side = h("div", { class: "side" }, this.tabs);
    controls.tools.prepend(this.swapSides);
    this.place = h("div", { class: "place" }, controls.shared, controls.grid);
    this.deck = h("div", { class: "deck" }, this.place, controls.tools);
    this.hall = h("div", { class: "hall" }, this.deck, this.side);
    this.bar = h("div", { class: "dock" }, controls.rate, h("div", { class: "choices" }, this.arrangements, this.add));
    this.anchor = h("div", { class: "anchor" }, this.bar);
    this.element = h(
      "div",
      { class: "laboratory" },
      this.anchor,
      this.say,
      this.bench.element,
      this.hall,
      controls.keys,
    );
    this.docking = new IntersectionObserver(
      ([{ intersectionRatio, boundingClientRect: box }]) => {
        const on = intersectionRatio < 1 && box.top < 0;
        this.anchor.style.minHeight = on ? `${box.height}px` : ""; // the page must not move under the cursor
        this.bar.toggleAttribute("data-docked", on);
      },
      { threshold: [0, 1] },
    );
    this.docking.observe(this.anchor);
  }

  /** What the host says: arrangements to choose from, and the panels that are open. */
  update({ arrangements, panels }) {
    this.known = arrangements;
    this.arrangements.replaceChildren(
      ...arrangements.map((a) => h("button", { type: "button", text: a.title, onclick: () => this.arrange(a) })),
    );
    this.setPanels(panels);
  }

  arrange({ panes, mode, panels }) {
    this.viewer.setPanes(panes);
    this.viewer.setMode(mode);
    this.enlarged = null;
    this.setPanels(panels);
    this.viewer.changed();
  }

  /** The arrangement that is on show, whichever channel its maps are of. */
  get arrangement() {
    const { state, manifest } = this.viewer;
    const usual = Object.fromEntries(
      manifest.codecs.map(({ id, axis }) => [id, axis === "lmbda" ? "shared" : "bytes"]),
    );
    const said = ({ panes, mode, panels }) =>
      JSON.stringify([
        mode,
        panels,
        panes.map(({ codec, layer, follow, own }) => [codec, layer ?? "picture", follow ?? usual[codec], own ?? null]),
      ]);
    return this.known.find((one) => said(one) === said(state));
  }

  // panels

  get kinds() {
    return this.panels.map((p) => p.kind);
  }

  setPanels(kinds) {
    const before = new Map(this.panels.map((p) => [p.kind, p]));
    this.panels = kinds.map((kind) => before.get(kind) ?? new KINDS[kind](this, kind));
    for (const [kind, panel] of before) if (!kinds.includes(kind)) panel.remove();
    this.side.append(...this.panels.map((p) => p.element));
    if (!kinds.includes(this.fore)) this.fore = kinds[0];
    if (!kinds.includes(this.enlarged)) this.enlarged = null;
    this.viewer.schedule();
  }

  /** Another panel in the place of one; where it is open already the two change places. */
  swap(kind, other) {
    const kinds = this.kinds.map((k) => (k === kind ? other : k === other ? kind : k));
    for (const panel of this.panels) panel.chooser.value = panel.kind;
    this.setPanels(kinds);
    this.viewer.changed();
  }

  open(kind) {
    this.setPanels([...this.kinds, kind]);
    this.viewer.changed();
  }

  close(kind) {
    this.setPanels(this.kinds.filter((k) => k !== kind));
    this.viewer.changed();
  }

  /** A panel in sight, opened where it is not. */
  bring(kind) {
    this.fore = kind;
    if (this.kinds.includes(kind)) this.viewer.schedule();
    else this.open(kind);
  }

  enlarge(kind) {
    this.enlarged = this.enlarged === kind ? null : kind;
    this.viewer.schedule();
  }

  /** The room as it is without an enlarged panel; false where there is none. */
  restore() {
    if (!this.enlarged) return false;
    this.enlarge(this.enlarged);
    return true;
  }

  /** On a narrow screen one panel is in sight. */
  front(kind) {
    this.fore = kind;
    if (!this.kinds.includes(kind)) this.setPanels([...this.kinds, kind]);
    this.viewer.changed();
  }

  // what panels ask

  /** The modulated codec that panels look into, the first on the stage, and its rival. */
  get pair() {
    const { manifest, panes } = this.viewer;
    const named = (id) => manifest.codecs.find((c) => c.id === id);
    const [lead, rival] = manifest.laboratory.pair.map(named);
    return { lead: panes.map((p) => p.plain).find((c) => c.gains && c.axis === "lmbda") ?? lead, rival };
  }

  /** The lead's channels by their bits at the highest λ that there is a frame of. */
  get ranked() {
    const { info, frames } = this.viewer.ladderOf(this.pair.lead);
    const last = frames.reduce((a, b) => (a && a.at > b.at ? a : b), null);
    return info?.kept ?? last?.rank ?? [];
  }

  get channel() {
    const { channel } = this.viewer;
    const { kept } = this.viewer.ladderOf(this.pair.lead).info ?? {};
    return kept && !kept.includes(channel) ? kept[0] : channel;
  }

  /** The rival's channel that is most like the chosen one, both at their highest λ: networks number their channels in
   *  an order of their own. Null until both are here; `wants` receives what is missing. */
  findPartner(wants) {
    const { channel } = this;
    const { lead, rival } = this.pair;
    if (!rival || channel === null) return null;
    const [a, b] = [lead, rival].map((codec) => this.viewer.ladderOf(codec));
    const mine = take(a, "y", lead.last, channel, true);
    const all = take(b, "y", rival.last, "all", true);
    wants.push(mine.want, all.want);
    if (mine.frame?.at !== lead.last || all.frame?.at !== rival.last) return null;
    const key = `${a.id} ${channel} ${b.id}`;
    if (this.partnerKey !== key) {
      this.partnerKey = key;
      [this.found, this.likeness] = mostAlike(mine.asset, all.asset, b.info.kept);
    }
    return this.found;
  }

  /** A channel for all maps. */
  choose(channel) {
    for (const pane of this.viewer.panes) pane.state.channel = null;
    this.viewer.channel = channel;
    this.viewer.changed();
  }

  resolve() {
    const shown = this.panels.filter((p) => p.drawn);
    const wants = [];
    this.partner = shown.some((p) => p.besideRival) ? this.findPartner(wants) : null;
    return [...wants, ...shown.flatMap((p) => p.resolve())];
  }

  describe() {
    const { viewer, hall } = this;
    for (const panel of this.panels) {
      panel.element.toggleAttribute("data-front", panel.kind === this.fore);
      panel.element.toggleAttribute("data-enlarged", panel.kind === this.enlarged);
      if (panel.drawn) panel.describe();
    }
    hall.toggleAttribute("data-enlarged", Boolean(this.enlarged));
    hall.dataset.count = this.panels.length;
    this.describeHeadline();
    if (viewer.dragging) return;
    this.controls.grid.style.setProperty("--columns", this.columns);
    const now = this.arrangement;
    [...this.arrangements.children].forEach((button, i) => {
      button.setAttribute("aria-pressed", String(this.known[i] === now));
    });
    for (const tab of this.tabs.children)
      tab.setAttribute("aria-pressed", String(tab.dataset.kind === this.fore && this.kinds.includes(this.fore)));
    for (const panel of this.panels) {
      const on = panel.kind === this.enlarged;
      panel.enlarge.setAttribute("aria-pressed", String(on));
    }
    const missing = Object.keys(this.titles).filter((kind) => !this.kinds.includes(kind));
    const key = missing.join();
    if (this.add.dataset.key !== key) {
      this.add.dataset.key = key;
      const options = missing.map((value) => h("option", { value, text: this.titles[value] }));
      this.add.replaceChildren(h("option", { value: "", text: "+ panel", disabled: true, selected: true }), ...options);
    }
    this.add.hidden = !missing.length;
    this.swapSides.disabled = viewer.panes.length < 2;
  }

  /** In how many columns the panes show the picture largest; of cards that stand above it no more than have room. */
  get columns() {
    const { picture, panes, element } = this.viewer;
    const { clientWidth, clientHeight } = this.place;
    const above = "maps" in element.dataset;
    const cards = above ? Math.max(...panes.map((p) => p.tag.offsetHeight)) : 0;
    const most = above ? Math.max(2, Math.floor(clientWidth / CARD)) : panes.length;
    const scale = (columns) =>
      Math.min(
        clientWidth / columns / picture.width,
        (clientHeight / Math.ceil(panes.length / columns) - cards) / picture.height,
      );
    const counts = panes.map((_, i) => i + 1).slice(0, most);
    return counts.reduce((a, b) => (scale(b) > scale(a) * 1.05 ? b : a));
  }

  /** The two codecs that the sentence is about: those on the stage, or the pair where there are not two. */
  get rivals() {
    const { viewer } = this;
    const coded = [...new Set(viewer.panes.map((p) => p.plain).filter((c) => c.axis !== "none"))];
    const { lead, rival } = this.pair;
    const [first, second] = coded.length > 1 ? coded : [lead, rival];
    return [first, second];
  }

  /** The frame of a codec that the stage shows, or would show. */
  fileOf(codec) {
    const pane = this.viewer.panes.find((p) => p.plain === codec && !p.refined);
    return pane?.frame ?? this.viewer.ladderOf(codec).nearest(this.viewer.index);
  }

  /** How much of the files of some codecs is measured: all, or how many of how many. Before that there is no telling
   *  how a curve runs. */
  progress(...codecs) {
    const ladders = codecs.map((codec) => this.viewer.ladderOf(codec));
    const done = ladders.map(({ frames }) => frames.filter((f) => !f.extra).length);
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    const [there, total] = [sum(done), sum(ladders.map(({ info }) => info?.total ?? 0))];
    return { all: ladders.every(({ info }, i) => info && done[i] >= info.total), text: `${there} of ${total} files` };
  }

  /** The rates of a ladder that the sentence waits for: of the rival's 25 files those next to the two that are as good
   *  as the file on show. */
  awaited(ladder) {
    const [first, second] = this.rivals;
    if (this.viewer.whole || !first || !second || second.axis !== "lmbda" || second.ladder !== ladder.id) return [];
    const file = this.fileOf(first);
    if (!file) return [];
    const { first: low, last, only } = second;
    const step = this.viewer.frameStep;
    const steps = Array.from({ length: Math.ceil((last - low) / step) }, (_, i) => low + i * step);
    const grid = only.length ? only : [...steps, last];
    const measured = ladder.frames.filter((f) => !f.extra);
    const next = Object.keys(MEASURES).map((measure) => toMeasure(grid, measured, measure, file[measure]));
    return [...new Set(next.filter((at) => at !== null))];
  }

  /** Whether the price that a codec pays for a file is final. */
  isPriced(codec) {
    if (this.progress(codec).all) return true;
    const ladder = this.viewer.ladderOf(codec);
    return codec.axis === "lmbda" && ladder.frames.length > 0 && !this.awaited(ladder).length;
  }

  describeHeadline() {
    const { viewer } = this;
    const [first, second] = this.rivals;
    if (!first || !second) return;
    const grid = (codec) => viewer.ladderOf(codec).frames.filter((f) => !f.extra); // else it would count what one tried
    const of = (codec) => ({ title: codec.title, short: codec.short, frames: grid(codec) });
    const [a, b] = [of(first), of(second)];
    const file = this.fileOf(first);
    const both = this.progress(first, second);
    const key = `${first.id} ${second.id} ${file?.file} ${a.frames.length} ${b.frames.length} ${both.text}`;
    if (key === this.said) return;
    this.said = key;
    const found = file && this.isPriced(second) ? headline(a, b, file, rateText(first, file)) : null;
    const soon = file ? `${first.title} at ${rateText(first, file)}: ${bytesText(file.bytes)}\u202fbytes. ` : "";
    setSentence(this.sentence, found?.text ?? `${soon}What ${second.title} needs to be as good is being measured …`);
    setText(this.balance, both.all ? balance(a, b) : `${both.text} measured so far`);
    const shares = Object.values(found?.prices ?? {}).map((p) => p?.share);
    const wins = shares.some((s) => s !== undefined) && shares.every((s) => s === undefined || s > 0);
    this.say.style.setProperty("--winner", wins ? first.colour : second.colour);
  }

  remove() {
    this.docking.disconnect();
    for (const panel of this.panels) panel.remove();
  }
}
