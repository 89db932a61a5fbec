// Ladders as the viewer asks for them, computed in this page: the rate at hand first, then the grid from coarse to
// fine, as long as somebody looks. What mae_viz/ladders/ladder.py is to the app.

const ASKED_MS = 2500; // after the last question a ladder's grid rests
const BESIDE = 1000; // ranks that pictures on show have for themselves
const EXTRA = 24; // frames between the grid's that stay, the latest

/** All ladders of one picture, and what is to be computed next. */
export class Ladders {
  #remote;
  #made;
  #ladders = new Map();
  #job = null;
  #soon = null;
  #numbers = 0;

  /** `made` hears of ladders that have a new frame, or an error, by their ids. */
  constructor(remote, made) {
    this.#remote = remote;
    this.#made = made;
  }

  /** A ladder of a picture, kept by `remote`, a RemoteCodec, as `key`, with a codec of the page's: its id. `grid`: the
   *  rates to have at hand; `maps`: whether frames tell what is inside. */
  add(key, codec, { grid, maps }) {
    const id = `${key}-${codec.id}-${++this.#numbers}`;
    this.#ladders.set(id, {
      id,
      key,
      codec,
      grid,
      maps,
      frames: new Map(),
      files: new Map(),
      wanted: [],
      inPanes: 0,
      asked: 0,
    });
    return id;
  }

  /** Nothing of these is wanted any more; all others stay. */
  keep(ids) {
    for (const id of [...this.#ladders.keys()]) if (!ids.has(id)) this.#ladders.delete(id);
    if (this.#job && !this.#ladders.has(this.#job.ladder.id)) this.#job.control.abort();
  }

  /** The frames that are there, as the viewer reads them. Asking starts the work and keeps it going; `at`: rates
   *  between the grid's, or of it, that are looked for now, of which the first `inPanes` are pictures on show. */
  async ladder(id, at = [], inPanes = at.length) {
    const ladder = this.#ladders.get(id);
    if (!ladder) throw Object.assign(new Error("this picture is not open any more"), { gone: true });
    ladder.asked = performance.now();
    ladder.wanted = at.map((rate) => this.#snapped(ladder.codec, rate));
    ladder.inPanes = inPanes;
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#turn();
    }); // what is asked for at once counts as one question
    const frames = [...ladder.frames.values()];
    return {
      id,
      total: ladder.grid.length,
      complete: Boolean(ladder.error) || ladder.grid.every((rate) => ladder.frames.has(rate)),
      ...(ladder.error ? { error: ladder.error } : {}),
      done: this.#job?.ladder === ladder ? this.#job.done : 0,
      ...ladder.shape,
      frames,
    };
  }

  /** A file of a frame, or parts of it, as a Blob. */
  async bytes(id, file, parts) {
    const blob = this.#ladders.get(id)?.files.get(file);
    if (!blob) throw new Error("this picture is not open any more");
    return parts ? new Blob(parts.map(([start, length]) => blob.slice(start, start + length))) : blob;
  }

  /** The coded file of a ladder's frame at a rate: made first where it is not there. */
  async stream(id, at) {
    const ladder = this.#ladders.get(id);
    const there = ladder?.frames.get(at);
    if (there?.stream) return ladder.files.get(there.stream);
    const { files } = await this.#remote.frame({ key: ladder.key, codec: ladder.codec, at, maps: false });
    return new Blob([files.stream]);
  }

  #snapped(codec, rate) {
    const whole = Math.min(codec.last, Math.max(codec.first, Math.round(rate)));
    return codec.only?.length ? codec.only.reduce((a, b) => (Math.abs(b - rate) < Math.abs(a - rate) ? b : a)) : whole;
  }

  /** What is looked for now: of every ladder the first rate, then the rest, and what no pane shows at last. */
  #looked() {
    const missing = this.#open().flatMap((ladder) =>
      ladder.wanted.filter((at) => !ladder.frames.has(at)).map((at) => ({ ladder, at, rank: this.#rank(ladder, at) })),
    );
    return missing.length ? missing.reduce((a, b) => (b.rank < a.rank ? b : a)) : null;
  }

  /** How soon a rate is wanted, 0 first; Infinity for what nobody looks for. */
  #rank({ wanted, inPanes }, at) {
    const place = wanted.indexOf(at);
    if (place < 0) return Infinity;
    return place < inPanes ? place : BESIDE + place;
  }

  /** The next of a grid: of all ladders the one with the fewest frames, the rate farthest from all that are there. */
  #ahead() {
    const open = this.#open().filter(({ grid, frames }) => grid.some((rate) => !frames.has(rate)));
    if (!open.length) return null;
    const ladder = open.reduce((a, b) => (b.frames.size < a.frames.size ? b : a));
    const missing = ladder.grid.filter((rate) => !ladder.frames.has(rate));
    const there = [...ladder.frames.keys()];
    const gap = (rate) => Math.min(...there.map((other) => Math.abs(other - rate)), Infinity);
    const at = missing.reduce((a, b) => (gap(b) > gap(a) ? b : a));
    return { ladder, at };
  }

  #open() {
    const now = performance.now();
    return [...this.#ladders.values()].filter(({ asked, error }) => asked && !error && now - asked < ASKED_MS);
  }

  #turn() {
    const looked = this.#looked();
    if (this.#job) {
      const { ladder, at, control } = this.#job;
      // what is made ahead of need, or for what stands beside the picture, gives way to the picture; λ may have moved
      if (looked && this.#rank(ladder, at) > looked.rank) control.abort();
      return;
    }
    const next = looked ?? this.#ahead();
    if (next) this.#make({ ...next, done: 0, control: new AbortController() });
  }

  async #make(job) {
    this.#job = job;
    const { ladder, at, control } = job;
    try {
      const question = { key: ladder.key, codec: ladder.codec, at, maps: ladder.maps };
      const progress = (done) => {
        job.done = done;
      };
      const made = await this.#remote.frame(question, { progress, signal: control.signal });
      this.#put(ladder, at, made);
    } catch (error) {
      if (error.name !== "AbortError") ladder.error = `${ladder.codec.title}: ${error.message}`;
    }
    this.#job = null;
    this.#made(ladder.id);
    this.#turn();
  }

  #put(ladder, at, { frame, files, maps }) {
    for (const [kind, bytes] of Object.entries(files)) {
      const name = `${at}.${kind}`;
      ladder.files.set(name, new Blob([bytes])); // browsers keep blobs outside of the page's own memory
      frame[kind] = name;
    }
    const extra = !ladder.grid.includes(at);
    ladder.frames.set(at, extra ? { ...frame, extra } : frame);
    ladder.shape ??= maps;
    const between = [...ladder.frames.values()].filter((f) => f.extra);
    for (const old of between.slice(0, Math.max(0, between.length - EXTRA))) {
      ladder.frames.delete(old.at);
      for (const name of [...ladder.files.keys()]) if (name.startsWith(`${old.at}.`)) ladder.files.delete(name);
    }
  }
}
