// Refinements: files that get better while one looks. A pane has the latents of its picture refined at the λ at hand;
// what comes of it is a ladder of that one λ, which the pane shows in place of the plain one's frame as long as λ is
// there.
import { take } from "./panel.js";

/** One refinement: who asked for it, where, and the ladder that its frames come in. */
class Refinement {
  constructor(pane, mask) {
    this.pane = pane;
    this.plain = pane.plain;
    this.of = pane.plainLadder.id;
    this.at = pane.target();
    this.mask = mask; // {bytes, share} of what was painted
    this.ladder = null;
    this.error = null;
    this.stopped = false;
    this.hidden = false; // while a person looks at the plain file
  }

  /** What its listing says of it, null before there is one. */
  get told() {
    return this.ladder?.info?.refinement ?? null;
  }

  /** The best file so far; null as long as that is the plain one. */
  get frame() {
    return this.told?.step ? this.ladder.frames[0] : null;
  }

  get done() {
    return Boolean(this.ladder?.info?.complete && this.told.step === this.told.steps && this.frame);
  }

  get works() {
    return !(this.done || this.stopped || this.fault);
  }

  get fault() {
    return this.error ?? this.ladder?.info?.error ?? null;
  }

  /** The codec that panes name: the plain one's facts under a title of its own. */
  get codec() {
    const { told, plain, at, ladder } = this;
    if (!told) return plain;
    this.named ??= { ...plain, ladder: ladder.id, first: at, last: at, start: at, listed: [at] };
    const far = this.done ? "" : ` (${told.step} of ${told.steps})`;
    const painted = this.mask ? ", for what is painted" : "";
    const { id, colour, title, short } = told.codec;
    const said = { title: `${title}${far}${painted}`, short: `${short}${far}`, about: `${title}${far}${painted}` };
    return Object.assign(this.named, { id, colour, between: "", only: [] }, said);
  }
}

export class Refinements {
  constructor(viewer) {
    this.viewer = viewer;
    this.all = [];
  }

  // what panes and panels ask

  /** Whether a pane's file can be refined here. */
  offered({ plain }) {
    const { laboratory, host, whole, manifest } = this.viewer;
    return Boolean(laboratory && host.refine && !whole && !manifest.blind && plain.refinable);
  }

  /** The refinement that belongs to what a pane stands at, whether or not it has a frame yet. */
  at(pane, at) {
    if (this.viewer.whole) return null;
    const of = pane.plainLadder.id;
    return this.all.findLast((r) => r.pane === pane && r.of === of && r.at === at && r.frame && !r.hidden) ?? null;
  }

  /** One of a pane's codec and picture at another λ. */
  elsewhere(pane) {
    const of = pane.plainLadder.id;
    return this.all.findLast((r) => r.pane === pane && r.of === of && r.at !== pane.at && r.frame) ?? null;
  }

  /** What is on show of a codec at λ: its refinement, where its pane shows that; null where it is the plain file. */
  shownOf(codec) {
    const { panes, index } = this.viewer;
    return panes.find((p) => p.plain === codec && p.refined && p.at === index)?.refined ?? null;
  }

  /** Of a codec at λ what there is to show as `kind`, as `take` says: of the refined file, of the plain one until that
   *  is here. */
  take(codec, kind, channel) {
    const { index } = this.viewer;
    const ladder = this.viewer.ladderOf(codec);
    const plain = { ...take(ladder, kind, index, channel), ladder, codec };
    const refinement = this.shownOf(codec);
    if (!refinement) return { ...plain, wants: [plain.want] };
    const found = take(refinement.ladder, kind, index, channel, true);
    const wants = [found.want, plain.want];
    if (!found.asset) return { ...plain, wants };
    return { ...found, ladder: refinement.ladder, codec: refinement.codec, wants, plain };
  }

  /** The ladders to keep: those of refinements of what is on show. */
  keep(ids) {
    const gone = this.all.filter((r) => !ids.has(r.of));
    this.all = this.all.filter((r) => ids.has(r.of));
    for (const refinement of gone) this.drop(refinement);
    return this.all.map((r) => r.ladder?.id).filter(Boolean);
  }

  // what people do

  async start(pane) {
    const mask = this.viewer.brush.mask();
    for (const other of this.all) if (other.works) this.stop(other); // a visit has one at a time
    const made = new Refinement(pane, mask);
    const same = (r) => r.pane === pane && r.of === made.of && r.at === made.at;
    for (const other of this.all.filter(same)) this.drop(other);
    this.all = [...this.all.filter((r) => !same(r)), made];
    this.viewer.laboratory.bench.open(pane);
    try {
      const id = await this.viewer.host.refine(made.of, made.at, mask && (await packed(mask)));
      if (!made.stopped) made.ladder = this.viewer.frames.wake(id);
    } catch (error) {
      made.error = String(error.message ?? error);
    }
    this.viewer.schedule();
  }

  /** It ends where it is: the best file so far stays. */
  stop(refinement) {
    refinement.stopped = true;
    if (refinement.ladder) {
      this.viewer.frames.rest(refinement.ladder);
      this.viewer.host.letGo(refinement.ladder.id);
    }
    this.viewer.schedule();
  }

  drop(refinement) {
    if (refinement.works) this.stop(refinement);
    if (refinement.pane.refined === refinement) refinement.pane.refined = null;
  }

  /** Stop what is at work in a pane, or start: for what is painted, where something is. */
  turn(pane) {
    const works = this.worksIn(pane);
    if (works) this.stop(works);
    else this.start(pane);
  }

  worksIn(pane) {
    return this.all.findLast((r) => r.pane === pane && r.works) ?? null;
  }

  /** The refinement that there is to say something about in a pane: where λ is, else in work, else the latest. */
  current(pane) {
    const mine = this.all.filter((r) => r.pane === pane && r.of === pane.plainLadder.id);
    return mine.findLast((r) => r.at === pane.at) ?? mine.find((r) => r.works) ?? mine.at(-1) ?? null;
  }

  /** The plain codec beside it under the wipe, at the λ whose file is as long. */
  compare({ pane, plain }) {
    this.viewer.besides(pane, { codec: plain.id, layer: "picture", follow: "bytes" });
  }

  /** Of earlier moments nothing needs to stay in memory; what the server has lost ends where it is. */
  trim() {
    for (const refinement of this.all) {
      const { ladder } = refinement;
      if (!ladder) continue;
      if (ladder.gone && refinement.works) this.stop(refinement);
      const files = ladder.frames.flatMap((f) => [f.file, f.y, f.bits, f.by_channel]);
      for (const key of [...ladder.assets.keys()]) if (!files.includes(key.split("/")[0])) ladder.drop(key);
    }
  }

  close() {
    for (const refinement of this.all) if (refinement.works) this.stop(refinement);
  }
}

/** A mask's bytes, as the server reads them. */
async function packed({ bytes }) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
