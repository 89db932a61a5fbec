// Frames of a ladder: which exist, which are here, which to fetch next. A ladder is one codec's coding of one picture
// at many rates; its frames are immutable files. Pictures are kept as ImageBitmaps, maps as Float32Arrays, as many as
// the limits below allow: then the rates in between show the nearest frame, and what λ rests on is fetched again.

const AT_ONCE = 4; // requests under way,
const LARGE = 4e6; // one where pictures have more pixels
const HELD = 200e6; // bytes of frames in memory, all ladders together: two models at 25 rates of 0.8 megapixel
const WIRE = 22e6; // bytes of one ladder fetched ahead of need
const KEEP_EXTRA = 16; // frames between the grid's that are kept per ladder
const POLL_MS = 350;
const FIRST_MS = 80; // between two looks for a ladder's first frame

/** One ladder: its list of frames as the host knows it, and what has been fetched of them. */
class Ladder {
  constructor(id) {
    this.id = id;
    this.info = null;
    this.error = null;
    this.unheard = false; // whether the latest question got no answer
    this.assets = new Map();
    this.failed = new Set();
    this.full = new Set(); // kinds and channels of which no frame is missing
    this.received = 0;
    this.asked = 0; // how many times for the list,
    this.heard = 0; // and which of them was answered last
  }

  get frames() {
    return this.info?.frames ?? [];
  }

  /** The frame nearest to `at`; with `has`, among those for which it is true. */
  nearest(at, has = () => true) {
    let best = null;
    for (const frame of this.frames)
      if (has(frame) && (!best || Math.abs(frame.at - at) < Math.abs(best.at - at))) best = frame;
    return best;
  }

  /** What a frame needs on show as `kind` (picture, bits, y, by_channel): its name here, its file, and of y which
   *  channels. `channel`: one, several as "3,7,12" (their planes one after the other), or "all". */
  source(frame, kind, channel) {
    const file = kind === "picture" ? frame.file : frame[kind];
    if (!file || kind !== "y" || channel === "all") return { key: file, file };
    const { kept } = this.info;
    if (channel === null) return {}; // none is chosen before there is a frame
    if (kept && !listed(channel).every((c) => kept.includes(c))) return {};
    return { key: `${file}/${channel}`, file, channel };
  }

  /** Where the bytes of a source lie in its file: [[start, length], …]; undefined for all of it. */
  parts({ channel }) {
    if (channel === undefined) return undefined;
    const { kept, places } = this.info;
    const length = places[0] * places[1] * 4;
    return listed(channel).map((c) => [(kept ? kept.indexOf(c) : c) * length, length]);
  }

  get(frame, kind, channel) {
    return frame && this.assets.get(this.source(frame, kind, channel).key);
  }

  drop(key) {
    this.full.clear();
    this.assets.get(key)?.close?.();
    this.assets.delete(key);
  }

  get held() {
    let sum = 0;
    for (const asset of this.assets.values()) sum += sizeOf(asset);
    return sum;
  }

  close() {
    for (const key of [...this.assets.keys()]) this.drop(key);
  }
}

const listed = (channel) => `${channel}`.split(",").map(Number);
const sizeOf = (asset) => asset.byteLength ?? 4 * asset.width * asset.height;

/** Fetches what the panes want: λ at hand first, then whatever closes the widest gap. */
export class Frames {
  constructor(host, changed, exact, pixels, inPanes = exact) {
    this.host = host;
    this.changed = changed;
    this.exact = exact; // (ladder) → the rates to have exactly, none while λ moves,
    this.inPanes = inPanes; // and those first of them that panes show
    this.pixels = pixels; // () → pixels of the picture on show
    this.ladders = new Map();
    this.wants = [];
    this.busy = new Set();
    this.received = 0;
  }

  ladder(id) {
    if (!this.ladders.has(id)) {
      this.ladders.set(id, new Ladder(id));
      this.poll(this.ladders.get(id));
    }
    return this.ladders.get(id);
  }

  /** A ladder that is read again, wherever it was left. */
  wake(id) {
    const there = this.ladders.get(id);
    if (!there) return this.ladder(id);
    there.rests = false;
    this.poll(there);
    return there;
  }

  /** The host has something new of a ladder: its list is read at once. */
  hear(id) {
    const there = this.ladders.get(id);
    if (there) this.poll(there);
  }

  /** A ladder that stays as it is: nothing of it is waited for. */
  rest(ladder) {
    clearTimeout(ladder.timer);
    ladder.rests = true;
    ladder.heard = ++ladder.asked; // what is still to be answered comes too late
  }

  /** Whether a ladder's list lacks a rate that is to be had exactly. */
  lacks(ladder) {
    return this.exact(ladder).some((at) => !ladder.frames.some((frame) => frame.at === at));
  }

  /** A ladder is read again where what is wanted of it has changed by itself since its list was complete: as a frame of
   *  another arrived that it is matched to. */
  follow(ladder) {
    if (!ladder.timer && ladder.asked === ladder.heard && !ladder.error && this.lacks(ladder)) this.poll(ladder);
  }

  /** Read a ladder's list of frames until it is complete. */
  async poll(ladder) {
    clearTimeout(ladder.timer);
    ladder.timer = null;
    if (ladder.rests) return;
    const turn = ++ladder.asked;
    const answer = { heard: turn, gone: false, unheard: false };
    try {
      answer.info = await this.host.ladder(ladder.id, this.exact(ladder), this.inPanes(ladder).length);
      answer.error = answer.info.error ?? null;
    } catch (error) {
      const gone = Boolean(error.gone); // the server knows it no more
      Object.assign(answer, { error: String(error.message ?? error), unheard: true, gone });
    }
    // a later question may have been answered sooner
    if (this.closed || this.ladders.get(ladder.id) !== ladder || turn < ladder.heard) return;
    Object.assign(ladder, answer);
    ladder.full.clear();
    if (ladder.unheard || !ladder.info?.complete || (!ladder.error && this.lacks(ladder)))
      ladder.timer = setTimeout(
        () => this.poll(ladder),
        ladder.error ? 4 * POLL_MS : ladder.frames.length ? POLL_MS : FIRST_MS,
      );
    this.changed();
    this.pump();
  }

  /** wants: [{ladder, kind, channel, at, alone}], what is needed, in order of importance; `alone`: nothing ahead of
   *  need. */
  want(wants) {
    this.wants = wants;
    this.pump();
  }

  forgetAllBut(ids) {
    for (const [id, ladder] of this.ladders) {
      if (ids.has(id)) continue;
      clearTimeout(ladder.timer);
      ladder.close();
      this.ladders.delete(id);
    }
  }

  /** The missing frame to fetch next for a want: the nearest to `at`, else the one farthest from all that are here. */
  next({ ladder, kind, channel, at, alone }) {
    const name = `${kind} ${channel}`;
    if (ladder.full.has(name)) return null;
    const missing = [];
    const here = [];
    let full = true;
    for (const frame of alone ? [ladder.nearest(at)].filter(Boolean) : ladder.frames) {
      const source = ladder.source(frame, kind, channel);
      if (!source.key) continue;
      if (ladder.assets.has(source.key)) {
        here.push(frame);
        continue;
      }
      full = false;
      if (ladder.failed.has(source.key)) continue;
      if (this.busy.has(source.key)) here.push(frame);
      else if (!frame.extra || frame.at === at) missing.push([frame, source]);
    }
    if (full && !alone && ladder.frames.length) ladder.full.add(name);
    if (!missing.length) return null;
    const gap = ([frame]) => Math.min(...here.map((other) => Math.abs(other.at - frame.at)));
    const nearest = missing.reduce((a, b) => (Math.abs(b[0].at - at) < Math.abs(a[0].at - at) ? b : a));
    const best = ladder.nearest(at);
    if (!here.length || nearest[0] === best)
      return { ladder, kind, frame: nearest[0], source: nearest[1], urgency: Infinity };
    const [frame, source] = missing.reduce((a, b) => (gap(b) > gap(a) ? b : a));
    const weight = kind === "by_channel" ? 4 : 1; // a few kB that make a whole curve
    return { ladder, kind, frame, source, urgency: weight * gap([frame]) };
  }

  pump() {
    while (this.busy.size < (this.pixels() > LARGE ? 1 : AT_ONCE)) {
      const candidates = this.wants
        .map((want) => this.next(want))
        .filter(Boolean)
        .sort((a, b) => b.urgency - a.urgency);
      const best = candidates.find((candidate) => this.makeRoom(candidate));
      if (!best) return;
      this.fetch(best);
    }
  }

  get held() {
    let sum = 0;
    for (const ladder of this.ladders.values()) sum += ladder.held;
    return sum;
  }

  /** Room for one more asset, if need be in place of others: of any for the frame at hand, else of unused ones. */
  makeRoom({ ladder, kind, source, urgency }) {
    const last = [...ladder.assets.values()].at(-1);
    const bytes =
      ladder.parts(source)?.reduce((sum, [, length]) => sum + length, 0) ?? (last ? sizeOf(last) : 4 * this.pixels());
    const atHand = urgency === Infinity;
    if (!atHand && kind === "picture" && ladder.received * (1 + 1 / Math.max(1, ladder.assets.size)) > WIRE)
      return false;
    let over = this.held + (this.busy.size + 1) * bytes - HELD;
    if (over <= 0) return true;
    for (const other of this.ladders.values()) {
      if (over <= 0) return true;
      if (this.wants.some((want) => want.ladder === other)) continue;
      over -= other.held;
      other.close();
    }
    if (over <= 0 || !atHand) return over <= 0;
    if (this.busy.size) return false; // one at a time where memory is short
    const far = this.wants.flatMap((want) =>
      want.ladder.frames.map((frame) => ({
        want,
        key: want.ladder.source(frame, want.kind, want.channel).key,
        away: Math.abs(frame.at - want.at),
      })),
    );
    const needed = new Set(far.filter(({ want, key, away }) => away === 0 || key === want.shown).map(({ key }) => key));
    for (const { want, key } of far.sort((a, b) => b.away - a.away)) {
      if (over <= 0) break;
      const asset = want.ladder.assets.get(key);
      if (!asset || needed.has(key)) continue;
      over -= sizeOf(asset);
      want.ladder.drop(key);
    }
    return true;
  }

  async fetch({ ladder, kind, source }) {
    this.busy.add(source.key);
    try {
      const bytes = await this.host.bytes(ladder.id, source.file, ladder.parts(source));
      this.received += bytes.size;
      ladder.received += bytes.size;
      const asset = kind === "picture" ? await decodePicture(bytes) : new Float32Array(await bytes.arrayBuffer());
      if (this.closed || this.ladders.get(ladder.id) !== ladder) asset.close?.();
      else {
        ladder.assets.set(source.key, asset);
        this.trim(ladder);
      }
    } catch {
      ladder.failed.add(source.key);
      setTimeout(() => {
        ladder.failed.delete(source.key);
        if (!this.closed) this.poll(ladder); // the server may have to make it again
      }, 2000);
    } finally {
      this.busy.delete(source.key);
    }
    if (this.closed) return;
    this.changed();
    this.pump();
  }

  /** Frames between the grid's come one by one as λ is released: the oldest go again. */
  trim(ladder) {
    const extra = ladder.frames.filter((frame) => frame.extra && ladder.assets.has(frame.file));
    const keep = ladder.info.total ? KEEP_EXTRA : 1; // of a whole large picture no more than what is shown
    for (const frame of extra.slice(0, Math.max(0, extra.length - keep))) {
      if (this.wants.some((want) => want.ladder === ladder && want.at === frame.at)) continue;
      ladder.drop(frame.file);
    }
  }

  close() {
    this.closed = true;
    this.forgetAllBut(new Set());
  }
}

/** Decoded off the main thread; no colour conversion, so that the pixels are the file's. */
const decodePicture = (bytes) => createImageBitmap(bytes, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
