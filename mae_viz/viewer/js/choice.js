// What a pane shows: a codec × a layer × a rate, and which of the frames that are there comes nearest to that.
import panes from "../panes.json" with { type: "json" };

export const LAYERS = panes.layers;
/** What a match means: of some frames the largest file that is not above so many bytes, else the smallest; the smallest
 *  that reaches so many dB, else the best. */
const SENSES = {
  bytes(frames, goal) {
    const fitting = frames.filter((f) => f.bytes <= goal);
    if (!fitting.length) return frames.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    return fitting.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  },
  psnr_db(frames, goal) {
    const db = (f) => (f.psnr_db === "inf" ? Infinity : f.psnr_db);
    const fitting = frames.filter((f) => db(f) >= goal);
    if (!fitting.length) return frames.reduce((a, b) => (db(b) > db(a) ? b : a));
    return fitting.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  },
};
const NEEDS = { picture: "picture", difference: "picture", bits: "bits", y: "y", ratio: "y" };

export class Choice {
  /** `viewer`: what all panes share, {manifest, index, whole, channel, panes, original, ladderOf(codec),
   *  reference(pane)}, and changed(), which is called after a person's choice. */
  constructor(viewer, state) {
    this.viewer = viewer;
    this.assume(state);
  }

  /** Become what the host or an address says. */
  assume(state) {
    this.state = { codec: "original", layer: "picture", channel: null, follow: null, own: null, base: 0, ...state };
  }

  /** A person's choice: new state for this pane; panes that show one channel go on to the next together. */
  choose(change) {
    for (const name of ["channel", "base"]) if (name in change) change[name] = +change[name];
    if ("codec" in change) Object.assign(this.state, { follow: null, own: null, channel: null });
    if (change.follow === "own") change.own ??= this.at ?? null;
    if ("channel" in change) {
      const { channel } = this;
      for (const pane of this.viewer.panes) if (pane.channel === channel) pane.state.channel = change.channel;
    }
    const { axis } = this.plain;
    Object.assign(this.state, change);
    if (this.plain.axis !== axis) this.state.base = 0;
    this.viewer.changed();
  }

  /** The codec that was chosen. */
  get plain() {
    const { codecs } = this.viewer.manifest;
    return codecs.find((c) => c.id === this.state.codec) ?? codecs[0];
  }

  get plainLadder() {
    return this.viewer.ladderOf(this.plain);
  }

  /** The codec whose file is on show: the chosen one, or that with its latents refined. */
  get codec() {
    return this.refined?.codec ?? this.plain;
  }

  get ladder() {
    return this.refined?.ladder ?? this.plainLadder;
  }

  get layers() {
    if (this.plain.axis === "none") return ["picture"];
    if (!this.plain.maps || this.viewer.whole) return ["picture", "difference"];
    // a ratio of two networks' y says nothing: their channels are not the same
    return Object.keys(LAYERS).filter((layer) => layer !== "ratio" || !this.plain.only.length);
  }

  get layer() {
    return this.layers.includes(this.state.layer) ? this.state.layer : "picture";
  }

  /** What the layer is made of, as frames have it: "picture", "bits" or "y". */
  get kind() {
    return NEEDS[this.layer];
  }

  get follow() {
    if (this.plain.axis === "none") return "none";
    return this.state.follow ?? (this.plain.axis === "lmbda" ? "shared" : "bytes");
  }

  /** Whether its rate is chosen for bytes or PSNR that another pane has. */
  get matches() {
    return this.follow in SENSES;
  }

  get channel() {
    const kept = this.plainLadder.info?.kept;
    const chosen = this.state.channel ?? this.viewer.channel;
    return kept && !kept.includes(chosen) ? kept[0] : chosen;
  }

  /** The rates that a ratio may divide by, and what each is called: trained λ, or the qualities that a codec lists. */
  get bases() {
    const { plain: codec, viewer } = this;
    if (codec.axis === "lmbda") return viewer.trainedMarks().map(([index, value]) => [index, `λ ${value}`]);
    return codec.listed.map((at) => [at, `${codec.unit} ${at}`]);
  }

  /** The rate that a ratio divides by. */
  get base() {
    const { plain: codec, state } = this;
    return codec.axis === "lmbda" || codec.listed.includes(state.base) ? state.base : codec.listed[0];
  }

  /** The rates that this pane wants exactly, once λ rests. */
  get exact() {
    if (this.follow === "shared") return [this.target()];
    if (this.matches) return this.between();
    return this.follow === "own" && this.state.own !== null ? [this.state.own] : [];
  }

  /** The rate of what it is divided by, which it wants as exactly. */
  get divisor() {
    return this.layer === "ratio" ? [this.base] : [];
  }

  /** Whether what its frame is compared with is not here yet. */
  get lacking() {
    const { viewer, plainLadder: ladder, layer, kind, channel } = this;
    const [of, at, part] = layer === "difference" ? [viewer.original, 0, "picture"] : [ladder, this.divisor[0], kind];
    if (at === undefined) return false;
    const other = of.frames.find((f) => f.at === at);
    return !(other && of.get(other, part, channel));
  }

  /** Whether all files that are known lie on one side of what it is matched to, and a frame to come may lie nearer. */
  get oneSided() {
    const { plain: codec, follow } = this;
    const { frames, info } = this.plainLadder;
    const goal = this.matches && this.viewer.reference(this)?.[follow];
    if (!Number.isFinite(goal) || !(info?.total > frames.filter((f) => !f.extra).length)) return false;
    const there = (at) => frames.some((f) => f.at === at);
    const below = (f) => f[follow] <= goal;
    if (codec.only.length) return true;
    return (frames.every(below) && !there(codec.last)) || (!frames.some(below) && !there(codec.first));
  }

  /** The rates that there are frames of, in order. */
  rates() {
    return this.plainLadder.frames.map((f) => f.at).sort((a, b) => a - b);
  }

  /** The rate that this pane asks for, on its codec's own axis. */
  target() {
    if (this.follow === "none") return 0;
    if (this.follow === "shared") return this.shared();
    if (this.follow === "own" && this.state.own !== null) return this.state.own;
    const goal = this.viewer.reference(this)?.[this.follow];
    const { frames } = this.plainLadder;
    if (!goal || !frames.length) return this.at ?? this.plain.start ?? 0;
    return SENSES[this.follow](frames, goal).at;
  }

  /** A rate between the frames that lie about what the pane is matched to, where a file may come nearer; none where
   *  they are neighbours. */
  between() {
    const { follow, plainLadder: ladder, plain: codec } = this;
    const goal = this.viewer.reference(this)?.[follow];
    if (!Number.isFinite(goal) || codec.only.length) return [];
    const sorted = ladder.frames.filter((f) => Number.isFinite(f[follow])).sort((a, b) => a.at - b.at);
    const i = sorted.findIndex((f) => f[follow] > goal);
    if (i < 1) return [];
    const [a, b] = [sorted[i - 1], sorted[i]];
    const t = (goal - a[follow]) / (b[follow] - a[follow]);
    const at = Math.round(a.at + (b.at - a.at) * t);
    const inside = Math.min(b.at - 1, Math.max(a.at + 1, at));
    return a[follow] < goal && inside > a.at && inside < b.at ? [inside] : [];
  }

  /** λ for all, or of a group of networks for one λ each the nearest. */
  shared() {
    const { first, last, only } = this.plain;
    const { index } = this.viewer;
    if (only.length) return only.reduce((a, b) => (Math.abs(b - index) < Math.abs(a - index) ? b : a));
    return Math.min(last, Math.max(first, index));
  }

  /** Decide which frame to show now; returns what must be fetched for it, as `Frames.want` takes it. */
  resolve() {
    const { plainLadder, layer, kind, channel } = this;
    this.at = this.target();
    const has = (ladder) => (f) => ladder.get(f, kind, channel);
    const refined = this.viewer.refinements?.at(this, this.at);
    this.refined = refined?.ladder.nearest(this.at, has(refined.ladder)) ? refined : null;
    const { ladder } = this;
    this.frame = ladder.nearest(this.at, has(ladder));
    const best = ladder.nearest(this.at);
    this.waiting =
      !best ||
      (this.frame !== best && !refined) ||
      this.lacking ||
      (!this.viewer.manifest.static && (this.oneSided || this.exact.some((at) => at !== best.at)));
    const shown = (of) => this.frame && of === ladder && ladder.source(this.frame, kind, channel).key;
    const wants = [{ ladder: plainLadder, kind, channel, at: this.at, shown: shown(plainLadder) }];
    if (refined) wants.unshift({ ...wants[0], ladder: refined.ladder, shown: shown(refined.ladder), alone: true });
    if (layer === "difference") wants.push({ ladder: this.viewer.original, kind: "picture", at: 0 });
    if (layer === "ratio") wants.push({ ladder: plainLadder, kind, channel, at: this.base });
    return wants;
  }
}
