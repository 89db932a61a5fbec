// Made from mae_viz/browser/js by bundle.js: change those files, then type make bundle.

// mae_viz/viewer/js/dom.js
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== void 0) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// mae_viz/viewer/js/numbers.js
var group = new Intl.NumberFormat("en", { useGrouping: true });
var lambdaText = (lmbda) => Number.isInteger(lmbda) ? `${lmbda}` : lmbda >= 1e3 ? lmbda.toFixed(0) : lmbda.toFixed(1);
var decibels = (v) => v === void 0 ? "n/a" : v === "inf" ? "∞" : `${v.toFixed(2)} dB`;
var bytesText = (n) => n === void 0 ? "–" : group.format(n).replaceAll(",", " ");
function percent(share) {
  if (!Number.isFinite(share)) return "n/a";
  if (share > 0 && share < 1e-3) return "under 0.1 %";
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

// mae_viz/viewer/panes.json
var panes_default = {
  most: 4,
  layers: {
    picture: "picture",
    difference: "difference",
    bits: "bits per place",
    y: "channel y",
    ratio: "ratio of y"
  }
};

// mae_viz/browser/js/rounding.js
var SHIFT = 1.5 * 2 ** 52;
var roundEven = (v) => v + SHIFT - SHIFT;

// mae_viz/browser/js/rates.js
var LMBDA_MIN = 64;
var LMBDA_MAX = 4096;
var STEPS_PER_OCTAVE = 64;
var lmbdaAt = (index) => LMBDA_MIN * 2 ** (index / STEPS_PER_OCTAVE);
function indexNear(lmbda) {
  if (!(lmbda >= LMBDA_MIN && lmbda <= LMBDA_MAX))
    throw new RangeError(`λ = ${lmbda} is outside the trained range: choose 64 ≤ λ ≤ 4096.`);
  return roundEven(STEPS_PER_OCTAVE * Math.log2(lmbda / LMBDA_MIN));
}

// mae_viz/browser/js/address.js
var MATCHES = { bytes: "bytes", psnr: "psnr_db" };
var PANE = /^([\w.-]+?)(?::([a-z]+)(?:\.(\d{1,4}))?(?:\/([\d.]+))?)?(?:@(bytes|psnr|[\d.]+))?$/;
var lmbdaOf = (index) => +lmbdaAt(index).toFixed(1);
var indexOf = (lmbda) => indexNear(Math.min(LMBDA_MAX, Math.max(LMBDA_MIN, lmbda || 0)));
var told = (codec, at2) => codec.axis === "lmbda" ? lmbdaOf(at2) : at2;
var at = (codec, text) => Math.min(codec.last, Math.max(codec.first, codec.axis === "lmbda" ? indexOf(+text) : +text));
var plain = (value) => encodeURIComponent(value).replace(/%2C|%3A|%2F|%40/g, decodeURIComponent);
function write({ image, index, panes, mode, panels }, codecs) {
  const said = panes.map((pane) => {
    const codec = codecs.find(({ id }) => id === pane.codec);
    let text = pane.codec;
    if ((pane.layer ?? "picture") !== "picture") text += `:${pane.layer}`;
    if (pane.channel !== null && pane.channel !== void 0) text += `.${pane.channel}`;
    if (pane.layer === "ratio" && pane.base) text += `/${told(codec, pane.base)}`;
    if (pane.follow === "own" && pane.own !== null) text += `@${told(codec, pane.own)}`;
    else if (pane.follow === "bytes" && codec.axis === "lmbda") text += "@bytes";
    else if (pane.follow === "psnr_db") text += "@psnr";
    return text;
  });
  const parts = { image, lambda: lmbdaOf(index), panes: said.join(","), mode, panels: panels?.join(",") };
  return Object.entries(parts).filter(([, value]) => value !== void 0 && value !== null).map(([key, value]) => `${key}=${plain(value)}`).join("&");
}
function read(text, { codecs, modes, titles }) {
  const given = new URLSearchParams(text.replace(/^#/, ""));
  const found = {};
  if (given.get("image")) found.image = given.get("image");
  const lmbda = Number(given.get("lambda"));
  if (lmbda >= LMBDA_MIN && lmbda <= LMBDA_MAX) found.index = indexOf(lmbda);
  const panes = (given.get("panes") ?? "").split(",").filter(Boolean).map((part) => paneOf(part, codecs));
  if (panes.length && panes.length <= panes_default.most && panes.every(Boolean)) found.panes = panes;
  if (modes.includes(given.get("mode"))) found.mode = given.get("mode");
  if (given.has("panels"))
    found.panels = given.get("panels").split(",").filter((name) => name in titles);
  return found;
}
function paneOf(text, codecs) {
  const [, name, layer, channel, base, rate] = PANE.exec(text) ?? [];
  const codec = codecs.find(({ id }) => id === name);
  if (!codec || layer && !(layer in panes_default.layers)) return null;
  const pane = { codec: name, layer: layer ?? "picture" };
  if (channel) pane.channel = +channel;
  if (base) pane.base = at(codec, base);
  if (MATCHES[rate]) pane.follow = MATCHES[rate];
  else if (rate) Object.assign(pane, { follow: "own", own: at(codec, rate) });
  return pane;
}

// mae_viz/browser/js/blind.js
import { mount } from "./viewer.bundle.js";

// mae_viz/browser/js/votes.js
var LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
var LIKE = { O: "0", I: "1", L: "1" };
var MOST = 63;
var DATA = 6;
var CODE = /\b[0-9A-Z]{4}-?[0-9A-Z]{4}\b/g;
function encode({ first, second, neither }, who) {
  const values = [who, ...[first, second, neither].map((count) => Math.min(MOST, count))];
  const bits = values.map((value, i) => value.toString(2).padStart(i ? 6 : 12, "0")).join("");
  const digits = Array.from({ length: DATA }, (_, i) => Number.parseInt(bits.slice(5 * i, 5 * i + 5), 2));
  const text = [...digits, ...checks(digits)].map((digit) => LETTERS[digit]).join("");
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}
function checks(digits) {
  const weighted = digits.reduce((sum, digit, i) => sum + (i + 1) * digit, 0) % 31;
  return [weighted, digits.reduce((sum, digit) => sum ^ digit, weighted)];
}
function decode(code) {
  const digits = [...code.toUpperCase().replace("-", "")].map((c) => LETTERS.indexOf(LIKE[c] ?? c));
  if (digits.length !== DATA + 2 || digits.includes(-1)) return null;
  const data = digits.slice(0, DATA);
  if (checks(data).some((check, i) => check !== digits[DATA + i])) return null;
  const bits = data.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  const [who, first, second, neither] = [0, 12, 18, 24].map(
    (from, i) => Number.parseInt(bits.slice(from, from + (i ? 6 : 12)), 2)
  );
  return { first, second, neither, who };
}
function pooled(text) {
  const written = text.toUpperCase().match(CODE) ?? [];
  const codes = new Set(written.map((code) => `${code.slice(0, 4)}-${code.slice(-4)}`));
  const sum = { people: 0, first: 0, second: 0, neither: 0, wrong: [] };
  for (const code of codes) {
    const found = decode(code);
    if (!found) {
      if (written.includes(code)) sum.wrong.push(code);
      continue;
    }
    sum.people++;
    for (const name of ["first", "second", "neither"]) sum[name] += found[name];
  }
  return sum;
}
function interval(count, all) {
  if (!all) return [0, 1];
  const z = 1.959964;
  const share = count / all;
  const middle2 = share + z ** 2 / (2 * all);
  const reach = z * Math.sqrt(share * (1 - share) / all + z ** 2 / (4 * all ** 2));
  return [middle2 - reach, middle2 + reach].map((v) => Math.min(1, Math.max(0, v / (1 + z ** 2 / all))));
}

// mae_viz/browser/js/blind.js
var ANSWERS = ["A looks better", "B looks better", "I see no difference"];
var HIGHEST = 256;
var STEP = 16;
var CLOSE = 0.01;
var drawn = (count) => crypto.getRandomValues(new Uint32Array(1))[0] % count;
var Blind = class {
  /** `site`: what shows it: {manifest, remote, ladders, keys, say, open, close}; `pair`: the two codecs. */
  constructor(site, pair) {
    this.site = site;
    this.pair = pair;
    this.who = drawn(4096);
    this.turn = 0;
    this.counts = { first: 0, second: 0, neither: 0 };
    this.root = h("div", { class: "blind-stage" });
    this.said = h("p", { class: "told", role: "status" });
    this.answers = h("div", { class: "saving", role: "group", "aria-label": "Your answer" });
    this.tally = h("p", { class: "tally" });
    this.element = h(
      "section",
      { class: "blind", "aria-label": "Blind test" },
      h("h2", { text: "Blind test" }),
      h("p", {
        text: "A and B are the same photograph in files of equal size, one by the MAE, one by bottleneck scaling. Look for blurred texture and ringing edges: zoom in, wipe, blink; key O shows the original."
      }),
      this.answers,
      this.said,
      this.tally,
      this.root
    );
  }
  /** A round: two files of equal size at a rate drawn by chance, in an order drawn by chance. */
  async round() {
    const turn = ++this.turn;
    this.answers.replaceChildren();
    this.said.textContent = "Coding a pair of equal size …";
    try {
      const found = await this.drawPair(turn);
      if (turn === this.turn) this.show(found);
    } catch (error) {
      if (turn === this.turn) this.said.textContent = error.message;
    }
  }
  async drawPair(turn) {
    const rates = Array.from({ length: HIGHEST / STEP + 1 }, (_, i) => i * STEP);
    while (rates.length && turn === this.turn) {
      const [at2] = rates.splice(drawn(rates.length), 1);
      const first = await this.file(this.pair[0], at2);
      const second = await this.nearest(this.pair[1], first.bytes, at2, turn);
      if (second) return [first, second];
    }
    throw new Error("bottleneck scaling makes no file of this picture as small as the MAE's: choose another picture.");
  }
  async file(codec, at2) {
    const { frame } = await this.site.remote.frame({ key: this.site.keys[0], codec, at: at2, maps: false });
    return { codec, ...frame };
  }
  /** The file of a codec nearest to so many bytes; null where none comes near. Log bytes grow with the rate, almost in
   *  a straight line. */
  async nearest(codec, bytes, start, turn) {
    const made = [];
    const off = (file) => Math.abs(Math.log(file.bytes / bytes));
    let at2 = start;
    while (turn === this.turn) {
      made.push(await this.file(codec, at2));
      const best = made.reduce((a, b) => off(b) < off(a) ? b : a);
      if (off(best) < CLOSE) return best;
      const low = made.filter((file) => file.bytes < bytes).reduce((a, b) => a && a.at > b.at ? a : b, null);
      const high = made.filter((file) => file.bytes >= bytes).reduce((a, b) => a && a.at < b.at ? a : b, null);
      const t = low && high && Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
      if (low && high) at2 = Math.min(high.at - 1, Math.max(low.at + 1, Math.round(low.at + t * (high.at - low.at))));
      else at2 = low ? Math.min(codec.last, low.at + STEP) : Math.max(codec.first, high.at - STEP);
      if (made.some((file) => file.at === at2)) return off(best) < 2 * CLOSE ? best : null;
    }
    return null;
  }
  show(files) {
    this.order = drawn(2) ? files : files.toReversed();
    this.files = files;
    this.answers.replaceChildren(
      ...ANSWERS.map((text, i) => h("button", { type: "button", text, onclick: () => this.give(i) })),
      h("button", { type: "button", text: "End the test", onclick: () => this.site.endBlind() })
    );
    this.said.textContent = "";
    this.draw(true);
  }
  draw(blind) {
    const { manifest } = this.site;
    const { laboratory: _, whole: __, part: ___, ...plain2 } = manifest;
    const panes = this.order.map(({ codec, at: at2 }) => ({ codec: codec.id, layer: "picture", follow: "own", own: at2 }));
    const codecs = manifest.codecs.filter(({ id, axis }) => axis === "none" || this.pair.some((one) => one.id === id));
    this.viewer = mount(
      this.root,
      { ...plain2, title: "A and B", codecs, panes, blind },
      { ...this.site.host, report: void 0 }
    );
  }
  give(answer) {
    const preferred = this.order[answer];
    const name = !preferred ? "neither" : preferred === this.files[0] ? "first" : "second";
    this.counts[name]++;
    const lines = this.order.map(
      ({ codec, at: at2, bytes, psnr_db: db }, i) => `${"AB"[i]} was ${codec.title}, λ = ${lambdaText(+lmbdaAt(at2).toFixed(1))}: ${bytesText(bytes)} bytes, PSNR ${decibels(db)}.`
    );
    const sizes = this.order.map(({ bytes }) => bytes);
    const apart = percent(1 - Math.min(...sizes) / Math.max(...sizes));
    this.said.textContent = `${ANSWERS[answer]}. ${lines.join(" ")} The two files differ by ${apart}.`;
    this.answers.replaceChildren(
      h("button", { type: "button", text: "Next round", onclick: () => this.round() }),
      h("button", { type: "button", text: "End the test", onclick: () => this.site.endBlind() })
    );
    const { first, second, neither } = this.counts;
    this.tally.replaceChildren(
      `So far: MAE ${first}, bottleneck scaling ${second}, no difference ${neither}. Your code for the room's count: `,
      h("b", { class: "code", text: encode(this.counts, this.who) })
    );
    this.draw(false);
  }
  close() {
    this.turn++;
    this.viewer?.close();
    this.element.remove();
  }
};
function pool() {
  const result = h("p", { role: "status", text: "No codes yet." });
  const text = h("textarea", {
    rows: 6,
    "aria-label": "Codes",
    placeholder: "Type or paste the codes of the room, in any order",
    oninput: () => {
      const { people, first, second, neither, wrong } = pooled(text.value);
      const decided = first + second;
      const [low, high] = interval(first, decided).map((share2) => Math.round(100 * share2));
      const whose = people === 1 ? "1 person" : `${people} people`;
      const share = Math.round(100 * first / decided);
      const preferences = decided === 1 ? "preference" : "preferences";
      const said = [
        people ? `${whose}: MAE ${first}, bottleneck scaling ${second}, no difference ${neither}.` : "No codes yet.",
        decided && `Of ${decided} ${preferences} ${share} % are for the MAE (95 % interval ${low} to ${high} %).`,
        wrong.length && `Not a code, misread perhaps: ${wrong.join(", ")}.`
      ];
      result.textContent = said.filter(Boolean).join(" ");
    }
  });
  return [
    h("h2", { text: "Votes of a room" }),
    h("p", {
      text: "Each phone shows its code below its blind test. Nothing is sent: read them out, or have them in a chat."
    }),
    text,
    result
  ];
}

// mae_viz/browser/js/ladders.js
var ASKED_MS = 2500;
var BESIDE = 1e3;
var EXTRA = 24;
var Ladders = class {
  #remote;
  #made;
  #ladders = /* @__PURE__ */ new Map();
  #job = null;
  #soon = null;
  #numbers = 0;
  /** `made` hears of ladders that have a new frame, or an error, by their ids. */
  constructor(remote2, made) {
    this.#remote = remote2;
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
      frames: /* @__PURE__ */ new Map(),
      files: /* @__PURE__ */ new Map(),
      wanted: [],
      inPanes: 0,
      asked: 0
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
  async ladder(id, at2 = [], inPanes = at2.length) {
    const ladder = this.#ladders.get(id);
    if (!ladder) throw Object.assign(new Error("this picture is not open any more"), { gone: true });
    ladder.asked = performance.now();
    ladder.wanted = at2.map((rate) => this.#snapped(ladder.codec, rate));
    ladder.inPanes = inPanes;
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#turn();
    });
    const frames = [...ladder.frames.values()];
    return {
      id,
      total: ladder.grid.length,
      complete: Boolean(ladder.error) || ladder.grid.every((rate) => ladder.frames.has(rate)),
      ...ladder.error ? { error: ladder.error } : {},
      done: this.#job?.ladder === ladder ? this.#job.done : 0,
      ...ladder.shape,
      frames
    };
  }
  /** A file of a frame, or parts of it, as a Blob. */
  async bytes(id, file, parts) {
    const blob = this.#ladders.get(id)?.files.get(file);
    if (!blob) throw new Error("this picture is not open any more");
    return parts ? new Blob(parts.map(([start, length]) => blob.slice(start, start + length))) : blob;
  }
  /** The coded file of a ladder's frame at a rate: made first where it is not there. */
  async stream(id, at2) {
    const ladder = this.#ladders.get(id);
    const there = ladder?.frames.get(at2);
    if (there?.stream) return ladder.files.get(there.stream);
    const { files } = await this.#remote.frame({ key: ladder.key, codec: ladder.codec, at: at2, maps: false });
    return new Blob([files.stream]);
  }
  #snapped(codec, rate) {
    const whole = Math.min(codec.last, Math.max(codec.first, Math.round(rate)));
    return codec.only?.length ? codec.only.reduce((a, b) => Math.abs(b - rate) < Math.abs(a - rate) ? b : a) : whole;
  }
  /** What is looked for now: of every ladder the first rate, then the rest, and what no pane shows at last. */
  #looked() {
    const missing = this.#open().flatMap(
      (ladder) => ladder.wanted.filter((at2) => !ladder.frames.has(at2)).map((at2) => ({ ladder, at: at2, rank: this.#rank(ladder, at2) }))
    );
    return missing.length ? missing.reduce((a, b) => b.rank < a.rank ? b : a) : null;
  }
  /** How soon a rate is wanted, 0 first; Infinity for what nobody looks for. */
  #rank({ wanted, inPanes }, at2) {
    const place = wanted.indexOf(at2);
    if (place < 0) return Infinity;
    return place < inPanes ? place : BESIDE + place;
  }
  /** The next of a grid: of all ladders the one with the fewest frames, the rate farthest from all that are there. */
  #ahead() {
    const open = this.#open().filter(({ grid, frames }) => grid.some((rate) => !frames.has(rate)));
    if (!open.length) return null;
    const ladder = open.reduce((a, b) => b.frames.size < a.frames.size ? b : a);
    const missing = ladder.grid.filter((rate) => !ladder.frames.has(rate));
    const there = [...ladder.frames.keys()];
    const gap = (rate) => Math.min(...there.map((other) => Math.abs(other - rate)), Infinity);
    const at2 = missing.reduce((a, b) => gap(b) > gap(a) ? b : a);
    return { ladder, at: at2 };
  }
  #open() {
    const now = performance.now();
    return [...this.#ladders.values()].filter(({ asked, error }) => asked && !error && now - asked < ASKED_MS);
  }
  #turn() {
    const looked = this.#looked();
    if (this.#job) {
      const { ladder, at: at2, control } = this.#job;
      if (looked && this.#rank(ladder, at2) > looked.rank) control.abort();
      return;
    }
    const next = looked ?? this.#ahead();
    if (next) this.#make({ ...next, done: 0, control: new AbortController() });
  }
  async #make(job) {
    this.#job = job;
    const { ladder, at: at2, control } = job;
    try {
      const question = { key: ladder.key, codec: ladder.codec, at: at2, maps: ladder.maps };
      const progress = (done) => {
        job.done = done;
      };
      const made = await this.#remote.frame(question, { progress, signal: control.signal });
      this.#put(ladder, at2, made);
    } catch (error) {
      if (error.name !== "AbortError") ladder.error = `${ladder.codec.title}: ${error.message}`;
    }
    this.#job = null;
    this.#made(ladder.id);
    this.#turn();
  }
  #put(ladder, at2, { frame, files, maps }) {
    for (const [kind, bytes] of Object.entries(files)) {
      const name = `${at2}.${kind}`;
      ladder.files.set(name, new Blob([bytes]));
      frame[kind] = name;
    }
    const extra = !ladder.grid.includes(at2);
    ladder.frames.set(at2, extra ? { ...frame, extra } : frame);
    ladder.shape ??= maps;
    const between = [...ladder.frames.values()].filter((f) => f.extra);
    for (const old of between.slice(0, Math.max(0, between.length - EXTRA))) {
      ladder.frames.delete(old.at);
      for (const name of [...ladder.files.keys()]) if (name.startsWith(`${old.at}.`)) ladder.files.delete(name);
    }
  }
};

// mae_viz/browser/js/pictures.js
var MAX_PIXELS = 2 ** 25;
var MAX_SIDE = 65535;
var SCRUBBED = 8e5;
async function read2(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", colorSpaceConversion: "default" });
  } catch {
    throw new Error("this is no picture that this browser can read: choose a JPEG, PNG, WebP or AVIF.");
  }
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE)
      throw new Error(
        `the picture has ${(width * height / 1e6).toFixed(0)} megapixels, and a page has room for ${Math.floor(MAX_PIXELS / 1e6)}: make it smaller first.`
      );
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb", willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return { pixels: context.getImageData(0, 0, width, height).data, width, height };
  } finally {
    bitmap.close();
  }
}
function middle({ pixels, width, height }) {
  if (width * height <= SCRUBBED) return { left: 0, top: 0, pixels, width, height };
  const scale = Math.sqrt(SCRUBBED / (width * height));
  const [w, h2] = [width, height].map((side) => Math.max(1, Math.floor(side * scale)));
  const [left, top] = [width - w >> 1, height - h2 >> 1];
  const part = new Uint8ClampedArray(4 * w * h2);
  for (let y = 0; y < h2; y++) {
    const from = 4 * ((top + y) * width + left);
    part.set(pixels.subarray(from, from + 4 * w), 4 * y * w);
  }
  return { left, top, pixels: part, width: w, height: h2 };
}

// node_modules/qrcode-generator/dist/qrcode.mjs
var qrcode = function(typeNumber, errorCorrectionLevel) {
  const PAD0 = 236;
  const PAD1 = 17;
  let _typeNumber = typeNumber;
  const _errorCorrectionLevel = QRErrorCorrectionLevel[errorCorrectionLevel];
  let _modules = null;
  let _moduleCount = 0;
  let _dataCache = null;
  const _dataList = [];
  const _this = {};
  const makeImpl = function(test, maskPattern) {
    _moduleCount = _typeNumber * 4 + 17;
    _modules = (function(moduleCount) {
      const modules = new Array(moduleCount);
      for (let row = 0; row < moduleCount; row += 1) {
        modules[row] = new Array(moduleCount);
        for (let col = 0; col < moduleCount; col += 1) {
          modules[row][col] = null;
        }
      }
      return modules;
    })(_moduleCount);
    setupPositionProbePattern(0, 0);
    setupPositionProbePattern(_moduleCount - 7, 0);
    setupPositionProbePattern(0, _moduleCount - 7);
    setupPositionAdjustPattern();
    setupTimingPattern();
    setupTypeInfo(test, maskPattern);
    if (_typeNumber >= 7) {
      setupTypeNumber(test);
    }
    if (_dataCache == null) {
      _dataCache = createData(_typeNumber, _errorCorrectionLevel, _dataList);
    }
    mapData(_dataCache, maskPattern);
  };
  const setupPositionProbePattern = function(row, col) {
    for (let r = -1; r <= 7; r += 1) {
      if (row + r <= -1 || _moduleCount <= row + r) continue;
      for (let c = -1; c <= 7; c += 1) {
        if (col + c <= -1 || _moduleCount <= col + c) continue;
        if (0 <= r && r <= 6 && (c == 0 || c == 6) || 0 <= c && c <= 6 && (r == 0 || r == 6) || 2 <= r && r <= 4 && 2 <= c && c <= 4) {
          _modules[row + r][col + c] = true;
        } else {
          _modules[row + r][col + c] = false;
        }
      }
    }
  };
  const getBestMaskPattern = function() {
    let minLostPoint = 0;
    let pattern = 0;
    for (let i = 0; i < 8; i += 1) {
      makeImpl(true, i);
      const lostPoint = QRUtil.getLostPoint(_this);
      if (i == 0 || minLostPoint > lostPoint) {
        minLostPoint = lostPoint;
        pattern = i;
      }
    }
    return pattern;
  };
  const setupTimingPattern = function() {
    for (let r = 8; r < _moduleCount - 8; r += 1) {
      if (_modules[r][6] != null) {
        continue;
      }
      _modules[r][6] = r % 2 == 0;
    }
    for (let c = 8; c < _moduleCount - 8; c += 1) {
      if (_modules[6][c] != null) {
        continue;
      }
      _modules[6][c] = c % 2 == 0;
    }
  };
  const setupPositionAdjustPattern = function() {
    const pos = QRUtil.getPatternPosition(_typeNumber);
    for (let i = 0; i < pos.length; i += 1) {
      for (let j = 0; j < pos.length; j += 1) {
        const row = pos[i];
        const col = pos[j];
        if (_modules[row][col] != null) {
          continue;
        }
        for (let r = -2; r <= 2; r += 1) {
          for (let c = -2; c <= 2; c += 1) {
            if (r == -2 || r == 2 || c == -2 || c == 2 || r == 0 && c == 0) {
              _modules[row + r][col + c] = true;
            } else {
              _modules[row + r][col + c] = false;
            }
          }
        }
      }
    }
  };
  const setupTypeNumber = function(test) {
    const bits = QRUtil.getBCHTypeNumber(_typeNumber);
    for (let i = 0; i < 18; i += 1) {
      const mod = !test && (bits >> i & 1) == 1;
      _modules[Math.floor(i / 3)][i % 3 + _moduleCount - 8 - 3] = mod;
    }
    for (let i = 0; i < 18; i += 1) {
      const mod = !test && (bits >> i & 1) == 1;
      _modules[i % 3 + _moduleCount - 8 - 3][Math.floor(i / 3)] = mod;
    }
  };
  const setupTypeInfo = function(test, maskPattern) {
    const data = _errorCorrectionLevel << 3 | maskPattern;
    const bits = QRUtil.getBCHTypeInfo(data);
    for (let i = 0; i < 15; i += 1) {
      const mod = !test && (bits >> i & 1) == 1;
      if (i < 6) {
        _modules[i][8] = mod;
      } else if (i < 8) {
        _modules[i + 1][8] = mod;
      } else {
        _modules[_moduleCount - 15 + i][8] = mod;
      }
    }
    for (let i = 0; i < 15; i += 1) {
      const mod = !test && (bits >> i & 1) == 1;
      if (i < 8) {
        _modules[8][_moduleCount - i - 1] = mod;
      } else if (i < 9) {
        _modules[8][15 - i - 1 + 1] = mod;
      } else {
        _modules[8][15 - i - 1] = mod;
      }
    }
    _modules[_moduleCount - 8][8] = !test;
  };
  const mapData = function(data, maskPattern) {
    let inc = -1;
    let row = _moduleCount - 1;
    let bitIndex = 7;
    let byteIndex = 0;
    const maskFunc = QRUtil.getMaskFunction(maskPattern);
    for (let col = _moduleCount - 1; col > 0; col -= 2) {
      if (col == 6) col -= 1;
      while (true) {
        for (let c = 0; c < 2; c += 1) {
          if (_modules[row][col - c] == null) {
            let dark = false;
            if (byteIndex < data.length) {
              dark = (data[byteIndex] >>> bitIndex & 1) == 1;
            }
            const mask = maskFunc(row, col - c);
            if (mask) {
              dark = !dark;
            }
            _modules[row][col - c] = dark;
            bitIndex -= 1;
            if (bitIndex == -1) {
              byteIndex += 1;
              bitIndex = 7;
            }
          }
        }
        row += inc;
        if (row < 0 || _moduleCount <= row) {
          row -= inc;
          inc = -inc;
          break;
        }
      }
    }
  };
  const createBytes = function(buffer, rsBlocks) {
    let offset = 0;
    let maxDcCount = 0;
    let maxEcCount = 0;
    const dcdata = new Array(rsBlocks.length);
    const ecdata = new Array(rsBlocks.length);
    for (let r = 0; r < rsBlocks.length; r += 1) {
      const dcCount = rsBlocks[r].dataCount;
      const ecCount = rsBlocks[r].totalCount - dcCount;
      maxDcCount = Math.max(maxDcCount, dcCount);
      maxEcCount = Math.max(maxEcCount, ecCount);
      dcdata[r] = new Array(dcCount);
      for (let i = 0; i < dcdata[r].length; i += 1) {
        dcdata[r][i] = 255 & buffer.getBuffer()[i + offset];
      }
      offset += dcCount;
      const rsPoly = QRUtil.getErrorCorrectPolynomial(ecCount);
      const rawPoly = qrPolynomial(dcdata[r], rsPoly.getLength() - 1);
      const modPoly = rawPoly.mod(rsPoly);
      ecdata[r] = new Array(rsPoly.getLength() - 1);
      for (let i = 0; i < ecdata[r].length; i += 1) {
        const modIndex = i + modPoly.getLength() - ecdata[r].length;
        ecdata[r][i] = modIndex >= 0 ? modPoly.getAt(modIndex) : 0;
      }
    }
    let totalCodeCount = 0;
    for (let i = 0; i < rsBlocks.length; i += 1) {
      totalCodeCount += rsBlocks[i].totalCount;
    }
    const data = new Array(totalCodeCount);
    let index = 0;
    for (let i = 0; i < maxDcCount; i += 1) {
      for (let r = 0; r < rsBlocks.length; r += 1) {
        if (i < dcdata[r].length) {
          data[index] = dcdata[r][i];
          index += 1;
        }
      }
    }
    for (let i = 0; i < maxEcCount; i += 1) {
      for (let r = 0; r < rsBlocks.length; r += 1) {
        if (i < ecdata[r].length) {
          data[index] = ecdata[r][i];
          index += 1;
        }
      }
    }
    return data;
  };
  const createData = function(typeNumber2, errorCorrectionLevel2, dataList) {
    const rsBlocks = QRRSBlock.getRSBlocks(typeNumber2, errorCorrectionLevel2);
    const buffer = qrBitBuffer();
    for (let i = 0; i < dataList.length; i += 1) {
      const data = dataList[i];
      buffer.put(data.getMode(), 4);
      buffer.put(data.getLength(), QRUtil.getLengthInBits(data.getMode(), typeNumber2));
      data.write(buffer);
    }
    let totalDataCount = 0;
    for (let i = 0; i < rsBlocks.length; i += 1) {
      totalDataCount += rsBlocks[i].dataCount;
    }
    if (buffer.getLengthInBits() > totalDataCount * 8) {
      throw "code length overflow. (" + buffer.getLengthInBits() + ">" + totalDataCount * 8 + ")";
    }
    if (buffer.getLengthInBits() + 4 <= totalDataCount * 8) {
      buffer.put(0, 4);
    }
    while (buffer.getLengthInBits() % 8 != 0) {
      buffer.putBit(false);
    }
    while (true) {
      if (buffer.getLengthInBits() >= totalDataCount * 8) {
        break;
      }
      buffer.put(PAD0, 8);
      if (buffer.getLengthInBits() >= totalDataCount * 8) {
        break;
      }
      buffer.put(PAD1, 8);
    }
    return createBytes(buffer, rsBlocks);
  };
  _this.addData = function(data, mode) {
    mode = mode || "Byte";
    let newData = null;
    switch (mode) {
      case "Numeric":
        newData = qrNumber(data);
        break;
      case "Alphanumeric":
        newData = qrAlphaNum(data);
        break;
      case "Byte":
        newData = qr8BitByte(data);
        break;
      case "Kanji":
        newData = qrKanji(data);
        break;
      default:
        throw "mode:" + mode;
    }
    _dataList.push(newData);
    _dataCache = null;
  };
  _this.isDark = function(row, col) {
    if (row < 0 || _moduleCount <= row || col < 0 || _moduleCount <= col) {
      throw row + "," + col;
    }
    return _modules[row][col];
  };
  _this.getModuleCount = function() {
    return _moduleCount;
  };
  _this.make = function() {
    if (_typeNumber < 1) {
      let typeNumber2 = 1;
      for (; typeNumber2 < 40; typeNumber2++) {
        const rsBlocks = QRRSBlock.getRSBlocks(typeNumber2, _errorCorrectionLevel);
        const buffer = qrBitBuffer();
        for (let i = 0; i < _dataList.length; i++) {
          const data = _dataList[i];
          buffer.put(data.getMode(), 4);
          buffer.put(data.getLength(), QRUtil.getLengthInBits(data.getMode(), typeNumber2));
          data.write(buffer);
        }
        let totalDataCount = 0;
        for (let i = 0; i < rsBlocks.length; i++) {
          totalDataCount += rsBlocks[i].dataCount;
        }
        if (buffer.getLengthInBits() <= totalDataCount * 8) {
          break;
        }
      }
      _typeNumber = typeNumber2;
    }
    makeImpl(false, getBestMaskPattern());
  };
  _this.createTableTag = function(cellSize, margin) {
    cellSize = cellSize || 2;
    margin = typeof margin == "undefined" ? cellSize * 4 : margin;
    let qrHtml = "";
    qrHtml += '<table style="';
    qrHtml += " border-width: 0px; border-style: none;";
    qrHtml += " border-collapse: collapse;";
    qrHtml += " padding: 0px; margin: " + margin + "px;";
    qrHtml += '">';
    qrHtml += "<tbody>";
    for (let r = 0; r < _this.getModuleCount(); r += 1) {
      qrHtml += "<tr>";
      for (let c = 0; c < _this.getModuleCount(); c += 1) {
        qrHtml += '<td style="';
        qrHtml += " border-width: 0px; border-style: none;";
        qrHtml += " border-collapse: collapse;";
        qrHtml += " padding: 0px; margin: 0px;";
        qrHtml += " width: " + cellSize + "px;";
        qrHtml += " height: " + cellSize + "px;";
        qrHtml += " background-color: ";
        qrHtml += _this.isDark(r, c) ? "#000000" : "#ffffff";
        qrHtml += ";";
        qrHtml += '"/>';
      }
      qrHtml += "</tr>";
    }
    qrHtml += "</tbody>";
    qrHtml += "</table>";
    return qrHtml;
  };
  _this.createSvgTag = function(cellSize, margin, alt, title) {
    let opts = {};
    if (typeof arguments[0] == "object") {
      opts = arguments[0];
      cellSize = opts.cellSize;
      margin = opts.margin;
      alt = opts.alt;
      title = opts.title;
    }
    cellSize = cellSize || 2;
    margin = typeof margin == "undefined" ? cellSize * 4 : margin;
    alt = typeof alt === "string" ? { text: alt } : alt || {};
    alt.text = alt.text || null;
    alt.id = alt.text ? alt.id || "qrcode-description" : null;
    title = typeof title === "string" ? { text: title } : title || {};
    title.text = title.text || null;
    title.id = title.text ? title.id || "qrcode-title" : null;
    const size = _this.getModuleCount() * cellSize + margin * 2;
    let c, mc, r, mr, qrSvg = "", rect;
    rect = "l" + cellSize + ",0 0," + cellSize + " -" + cellSize + ",0 0,-" + cellSize + "z ";
    qrSvg += '<svg version="1.1" xmlns="http://www.w3.org/2000/svg"';
    qrSvg += !opts.scalable ? ' width="' + size + 'px" height="' + size + 'px"' : "";
    qrSvg += ' viewBox="0 0 ' + size + " " + size + '" ';
    qrSvg += ' preserveAspectRatio="xMinYMin meet"';
    qrSvg += title.text || alt.text ? ' role="img" aria-labelledby="' + escapeXml([title.id, alt.id].join(" ").trim()) + '"' : "";
    qrSvg += ">";
    qrSvg += title.text ? '<title id="' + escapeXml(title.id) + '">' + escapeXml(title.text) + "</title>" : "";
    qrSvg += alt.text ? '<description id="' + escapeXml(alt.id) + '">' + escapeXml(alt.text) + "</description>" : "";
    qrSvg += '<rect width="100%" height="100%" fill="white" cx="0" cy="0"/>';
    qrSvg += '<path d="';
    for (r = 0; r < _this.getModuleCount(); r += 1) {
      mr = r * cellSize + margin;
      for (c = 0; c < _this.getModuleCount(); c += 1) {
        if (_this.isDark(r, c)) {
          mc = c * cellSize + margin;
          qrSvg += "M" + mc + "," + mr + rect;
        }
      }
    }
    qrSvg += '" stroke="transparent" fill="black"/>';
    qrSvg += "</svg>";
    return qrSvg;
  };
  _this.createDataURL = function(cellSize, margin) {
    cellSize = cellSize || 2;
    margin = typeof margin == "undefined" ? cellSize * 4 : margin;
    const size = _this.getModuleCount() * cellSize + margin * 2;
    const min = margin;
    const max = size - margin;
    return createDataURL(size, size, function(x, y) {
      if (min <= x && x < max && min <= y && y < max) {
        const c = Math.floor((x - min) / cellSize);
        const r = Math.floor((y - min) / cellSize);
        return _this.isDark(r, c) ? 0 : 1;
      } else {
        return 1;
      }
    });
  };
  _this.createImgTag = function(cellSize, margin, alt) {
    cellSize = cellSize || 2;
    margin = typeof margin == "undefined" ? cellSize * 4 : margin;
    const size = _this.getModuleCount() * cellSize + margin * 2;
    let img = "";
    img += "<img";
    img += ' src="';
    img += _this.createDataURL(cellSize, margin);
    img += '"';
    img += ' width="';
    img += size;
    img += '"';
    img += ' height="';
    img += size;
    img += '"';
    if (alt) {
      img += ' alt="';
      img += escapeXml(alt);
      img += '"';
    }
    img += "/>";
    return img;
  };
  const escapeXml = function(s) {
    let escaped = "";
    for (let i = 0; i < s.length; i += 1) {
      const c = s.charAt(i);
      switch (c) {
        case "<":
          escaped += "&lt;";
          break;
        case ">":
          escaped += "&gt;";
          break;
        case "&":
          escaped += "&amp;";
          break;
        case '"':
          escaped += "&quot;";
          break;
        default:
          escaped += c;
          break;
      }
    }
    return escaped;
  };
  const _createHalfASCII = function(margin) {
    const cellSize = 1;
    margin = typeof margin == "undefined" ? cellSize * 2 : margin;
    const size = _this.getModuleCount() * cellSize + margin * 2;
    const min = margin;
    const max = size - margin;
    let y, x, r1, r2, p;
    const blocks = {
      "██": "█",
      "█ ": "▀",
      " █": "▄",
      "  ": " "
    };
    const blocksLastLineNoMargin = {
      "██": "▀",
      "█ ": "▀",
      " █": " ",
      "  ": " "
    };
    let ascii = "";
    for (y = 0; y < size; y += 2) {
      r1 = Math.floor((y - min) / cellSize);
      r2 = Math.floor((y + 1 - min) / cellSize);
      for (x = 0; x < size; x += 1) {
        p = "█";
        if (min <= x && x < max && min <= y && y < max && _this.isDark(r1, Math.floor((x - min) / cellSize))) {
          p = " ";
        }
        if (min <= x && x < max && min <= y + 1 && y + 1 < max && _this.isDark(r2, Math.floor((x - min) / cellSize))) {
          p += " ";
        } else {
          p += "█";
        }
        ascii += margin < 1 && y + 1 >= max ? blocksLastLineNoMargin[p] : blocks[p];
      }
      ascii += "\n";
    }
    if (size % 2 && margin > 0) {
      return ascii.substring(0, ascii.length - size - 1) + Array(size + 1).join("▀");
    }
    return ascii.substring(0, ascii.length - 1);
  };
  _this.createASCII = function(cellSize, margin) {
    cellSize = cellSize || 1;
    if (cellSize < 2) {
      return _createHalfASCII(margin);
    }
    cellSize -= 1;
    margin = typeof margin == "undefined" ? cellSize * 2 : margin;
    const size = _this.getModuleCount() * cellSize + margin * 2;
    const min = margin;
    const max = size - margin;
    let y, x, r, p;
    const white = Array(cellSize + 1).join("██");
    const black = Array(cellSize + 1).join("  ");
    let ascii = "";
    let line = "";
    for (y = 0; y < size; y += 1) {
      r = Math.floor((y - min) / cellSize);
      line = "";
      for (x = 0; x < size; x += 1) {
        p = 1;
        if (min <= x && x < max && min <= y && y < max && _this.isDark(r, Math.floor((x - min) / cellSize))) {
          p = 0;
        }
        line += p ? white : black;
      }
      for (r = 0; r < cellSize; r += 1) {
        ascii += line + "\n";
      }
    }
    return ascii.substring(0, ascii.length - 1);
  };
  _this.renderTo2dContext = function(context, cellSize) {
    cellSize = cellSize || 2;
    const length = _this.getModuleCount();
    for (let row = 0; row < length; row++) {
      for (let col = 0; col < length; col++) {
        context.fillStyle = _this.isDark(row, col) ? "black" : "white";
        context.fillRect(col * cellSize, row * cellSize, cellSize, cellSize);
      }
    }
  };
  return _this;
};
qrcode.stringToBytes = function(s) {
  const bytes = [];
  for (let i = 0; i < s.length; i += 1) {
    const c = s.charCodeAt(i);
    bytes.push(c & 255);
  }
  return bytes;
};
qrcode.createStringToBytes = function(unicodeData, numChars) {
  const unicodeMap = (function() {
    const bin = base64DecodeInputStream(unicodeData);
    const read3 = function() {
      const b = bin.read();
      if (b == -1) throw "eof";
      return b;
    };
    let count = 0;
    const unicodeMap2 = {};
    while (true) {
      const b0 = bin.read();
      if (b0 == -1) break;
      const b1 = read3();
      const b2 = read3();
      const b3 = read3();
      const k = String.fromCharCode(b0 << 8 | b1);
      const v = b2 << 8 | b3;
      unicodeMap2[k] = v;
      count += 1;
    }
    if (count != numChars) {
      throw count + " != " + numChars;
    }
    return unicodeMap2;
  })();
  const unknownChar = "?".charCodeAt(0);
  return function(s) {
    const bytes = [];
    for (let i = 0; i < s.length; i += 1) {
      const c = s.charCodeAt(i);
      if (c < 128) {
        bytes.push(c);
      } else {
        const b = unicodeMap[s.charAt(i)];
        if (typeof b == "number") {
          if ((b & 255) == b) {
            bytes.push(b);
          } else {
            bytes.push(b >>> 8);
            bytes.push(b & 255);
          }
        } else {
          bytes.push(unknownChar);
        }
      }
    }
    return bytes;
  };
};
var QRMode = {
  MODE_NUMBER: 1 << 0,
  MODE_ALPHA_NUM: 1 << 1,
  MODE_8BIT_BYTE: 1 << 2,
  MODE_KANJI: 1 << 3
};
var QRErrorCorrectionLevel = {
  L: 1,
  M: 0,
  Q: 3,
  H: 2
};
var QRMaskPattern = {
  PATTERN000: 0,
  PATTERN001: 1,
  PATTERN010: 2,
  PATTERN011: 3,
  PATTERN100: 4,
  PATTERN101: 5,
  PATTERN110: 6,
  PATTERN111: 7
};
var QRUtil = (function() {
  const PATTERN_POSITION_TABLE = [
    [],
    [6, 18],
    [6, 22],
    [6, 26],
    [6, 30],
    [6, 34],
    [6, 22, 38],
    [6, 24, 42],
    [6, 26, 46],
    [6, 28, 50],
    [6, 30, 54],
    [6, 32, 58],
    [6, 34, 62],
    [6, 26, 46, 66],
    [6, 26, 48, 70],
    [6, 26, 50, 74],
    [6, 30, 54, 78],
    [6, 30, 56, 82],
    [6, 30, 58, 86],
    [6, 34, 62, 90],
    [6, 28, 50, 72, 94],
    [6, 26, 50, 74, 98],
    [6, 30, 54, 78, 102],
    [6, 28, 54, 80, 106],
    [6, 32, 58, 84, 110],
    [6, 30, 58, 86, 114],
    [6, 34, 62, 90, 118],
    [6, 26, 50, 74, 98, 122],
    [6, 30, 54, 78, 102, 126],
    [6, 26, 52, 78, 104, 130],
    [6, 30, 56, 82, 108, 134],
    [6, 34, 60, 86, 112, 138],
    [6, 30, 58, 86, 114, 142],
    [6, 34, 62, 90, 118, 146],
    [6, 30, 54, 78, 102, 126, 150],
    [6, 24, 50, 76, 102, 128, 154],
    [6, 28, 54, 80, 106, 132, 158],
    [6, 32, 58, 84, 110, 136, 162],
    [6, 26, 54, 82, 110, 138, 166],
    [6, 30, 58, 86, 114, 142, 170]
  ];
  const G15 = 1 << 10 | 1 << 8 | 1 << 5 | 1 << 4 | 1 << 2 | 1 << 1 | 1 << 0;
  const G18 = 1 << 12 | 1 << 11 | 1 << 10 | 1 << 9 | 1 << 8 | 1 << 5 | 1 << 2 | 1 << 0;
  const G15_MASK = 1 << 14 | 1 << 12 | 1 << 10 | 1 << 4 | 1 << 1;
  const _this = {};
  const getBCHDigit = function(data) {
    let digit = 0;
    while (data != 0) {
      digit += 1;
      data >>>= 1;
    }
    return digit;
  };
  _this.getBCHTypeInfo = function(data) {
    let d = data << 10;
    while (getBCHDigit(d) - getBCHDigit(G15) >= 0) {
      d ^= G15 << getBCHDigit(d) - getBCHDigit(G15);
    }
    return (data << 10 | d) ^ G15_MASK;
  };
  _this.getBCHTypeNumber = function(data) {
    let d = data << 12;
    while (getBCHDigit(d) - getBCHDigit(G18) >= 0) {
      d ^= G18 << getBCHDigit(d) - getBCHDigit(G18);
    }
    return data << 12 | d;
  };
  _this.getPatternPosition = function(typeNumber) {
    return PATTERN_POSITION_TABLE[typeNumber - 1];
  };
  _this.getMaskFunction = function(maskPattern) {
    switch (maskPattern) {
      case QRMaskPattern.PATTERN000:
        return function(i, j) {
          return (i + j) % 2 == 0;
        };
      case QRMaskPattern.PATTERN001:
        return function(i, j) {
          return i % 2 == 0;
        };
      case QRMaskPattern.PATTERN010:
        return function(i, j) {
          return j % 3 == 0;
        };
      case QRMaskPattern.PATTERN011:
        return function(i, j) {
          return (i + j) % 3 == 0;
        };
      case QRMaskPattern.PATTERN100:
        return function(i, j) {
          return (Math.floor(i / 2) + Math.floor(j / 3)) % 2 == 0;
        };
      case QRMaskPattern.PATTERN101:
        return function(i, j) {
          return i * j % 2 + i * j % 3 == 0;
        };
      case QRMaskPattern.PATTERN110:
        return function(i, j) {
          return (i * j % 2 + i * j % 3) % 2 == 0;
        };
      case QRMaskPattern.PATTERN111:
        return function(i, j) {
          return (i * j % 3 + (i + j) % 2) % 2 == 0;
        };
      default:
        throw "bad maskPattern:" + maskPattern;
    }
  };
  _this.getErrorCorrectPolynomial = function(errorCorrectLength) {
    let a = qrPolynomial([1], 0);
    for (let i = 0; i < errorCorrectLength; i += 1) {
      a = a.multiply(qrPolynomial([1, QRMath.gexp(i)], 0));
    }
    return a;
  };
  _this.getLengthInBits = function(mode, type) {
    if (1 <= type && type < 10) {
      switch (mode) {
        case QRMode.MODE_NUMBER:
          return 10;
        case QRMode.MODE_ALPHA_NUM:
          return 9;
        case QRMode.MODE_8BIT_BYTE:
          return 8;
        case QRMode.MODE_KANJI:
          return 8;
        default:
          throw "mode:" + mode;
      }
    } else if (type < 27) {
      switch (mode) {
        case QRMode.MODE_NUMBER:
          return 12;
        case QRMode.MODE_ALPHA_NUM:
          return 11;
        case QRMode.MODE_8BIT_BYTE:
          return 16;
        case QRMode.MODE_KANJI:
          return 10;
        default:
          throw "mode:" + mode;
      }
    } else if (type < 41) {
      switch (mode) {
        case QRMode.MODE_NUMBER:
          return 14;
        case QRMode.MODE_ALPHA_NUM:
          return 13;
        case QRMode.MODE_8BIT_BYTE:
          return 16;
        case QRMode.MODE_KANJI:
          return 12;
        default:
          throw "mode:" + mode;
      }
    } else {
      throw "type:" + type;
    }
  };
  _this.getLostPoint = function(qrcode2) {
    const moduleCount = qrcode2.getModuleCount();
    let lostPoint = 0;
    for (let row = 0; row < moduleCount; row += 1) {
      for (let col = 0; col < moduleCount; col += 1) {
        let sameCount = 0;
        const dark = qrcode2.isDark(row, col);
        for (let r = -1; r <= 1; r += 1) {
          if (row + r < 0 || moduleCount <= row + r) {
            continue;
          }
          for (let c = -1; c <= 1; c += 1) {
            if (col + c < 0 || moduleCount <= col + c) {
              continue;
            }
            if (r == 0 && c == 0) {
              continue;
            }
            if (dark == qrcode2.isDark(row + r, col + c)) {
              sameCount += 1;
            }
          }
        }
        if (sameCount > 5) {
          lostPoint += 3 + sameCount - 5;
        }
      }
    }
    ;
    for (let row = 0; row < moduleCount - 1; row += 1) {
      for (let col = 0; col < moduleCount - 1; col += 1) {
        let count = 0;
        if (qrcode2.isDark(row, col)) count += 1;
        if (qrcode2.isDark(row + 1, col)) count += 1;
        if (qrcode2.isDark(row, col + 1)) count += 1;
        if (qrcode2.isDark(row + 1, col + 1)) count += 1;
        if (count == 0 || count == 4) {
          lostPoint += 3;
        }
      }
    }
    for (let row = 0; row < moduleCount; row += 1) {
      for (let col = 0; col < moduleCount - 6; col += 1) {
        if (qrcode2.isDark(row, col) && !qrcode2.isDark(row, col + 1) && qrcode2.isDark(row, col + 2) && qrcode2.isDark(row, col + 3) && qrcode2.isDark(row, col + 4) && !qrcode2.isDark(row, col + 5) && qrcode2.isDark(row, col + 6)) {
          lostPoint += 40;
        }
      }
    }
    for (let col = 0; col < moduleCount; col += 1) {
      for (let row = 0; row < moduleCount - 6; row += 1) {
        if (qrcode2.isDark(row, col) && !qrcode2.isDark(row + 1, col) && qrcode2.isDark(row + 2, col) && qrcode2.isDark(row + 3, col) && qrcode2.isDark(row + 4, col) && !qrcode2.isDark(row + 5, col) && qrcode2.isDark(row + 6, col)) {
          lostPoint += 40;
        }
      }
    }
    let darkCount = 0;
    for (let col = 0; col < moduleCount; col += 1) {
      for (let row = 0; row < moduleCount; row += 1) {
        if (qrcode2.isDark(row, col)) {
          darkCount += 1;
        }
      }
    }
    const ratio = Math.abs(100 * darkCount / moduleCount / moduleCount - 50) / 5;
    lostPoint += ratio * 10;
    return lostPoint;
  };
  return _this;
})();
var QRMath = (function() {
  const EXP_TABLE = new Array(256);
  const LOG_TABLE = new Array(256);
  for (let i = 0; i < 8; i += 1) {
    EXP_TABLE[i] = 1 << i;
  }
  for (let i = 8; i < 256; i += 1) {
    EXP_TABLE[i] = EXP_TABLE[i - 4] ^ EXP_TABLE[i - 5] ^ EXP_TABLE[i - 6] ^ EXP_TABLE[i - 8];
  }
  for (let i = 0; i < 255; i += 1) {
    LOG_TABLE[EXP_TABLE[i]] = i;
  }
  const _this = {};
  _this.glog = function(n) {
    if (n < 1) {
      throw "glog(" + n + ")";
    }
    return LOG_TABLE[n];
  };
  _this.gexp = function(n) {
    while (n < 0) {
      n += 255;
    }
    while (n >= 256) {
      n -= 255;
    }
    return EXP_TABLE[n];
  };
  return _this;
})();
var qrPolynomial = function(num, shift) {
  if (typeof num.length == "undefined") {
    throw num.length + "/" + shift;
  }
  const _num = (function() {
    let offset = 0;
    while (offset < num.length && num[offset] == 0) {
      offset += 1;
    }
    const _num2 = new Array(num.length - offset + shift);
    for (let i = 0; i < num.length - offset; i += 1) {
      _num2[i] = num[i + offset];
    }
    return _num2;
  })();
  const _this = {};
  _this.getAt = function(index) {
    return _num[index];
  };
  _this.getLength = function() {
    return _num.length;
  };
  _this.multiply = function(e) {
    const num2 = new Array(_this.getLength() + e.getLength() - 1);
    for (let i = 0; i < _this.getLength(); i += 1) {
      for (let j = 0; j < e.getLength(); j += 1) {
        num2[i + j] ^= QRMath.gexp(QRMath.glog(_this.getAt(i)) + QRMath.glog(e.getAt(j)));
      }
    }
    return qrPolynomial(num2, 0);
  };
  _this.mod = function(e) {
    if (_this.getLength() - e.getLength() < 0) {
      return _this;
    }
    const ratio = QRMath.glog(_this.getAt(0)) - QRMath.glog(e.getAt(0));
    const num2 = new Array(_this.getLength());
    for (let i = 0; i < _this.getLength(); i += 1) {
      num2[i] = _this.getAt(i);
    }
    for (let i = 0; i < e.getLength(); i += 1) {
      num2[i] ^= QRMath.gexp(QRMath.glog(e.getAt(i)) + ratio);
    }
    return qrPolynomial(num2, 0).mod(e);
  };
  return _this;
};
var QRRSBlock = (function() {
  const RS_BLOCK_TABLE = [
    // L
    // M
    // Q
    // H
    // 1
    [1, 26, 19],
    [1, 26, 16],
    [1, 26, 13],
    [1, 26, 9],
    // 2
    [1, 44, 34],
    [1, 44, 28],
    [1, 44, 22],
    [1, 44, 16],
    // 3
    [1, 70, 55],
    [1, 70, 44],
    [2, 35, 17],
    [2, 35, 13],
    // 4
    [1, 100, 80],
    [2, 50, 32],
    [2, 50, 24],
    [4, 25, 9],
    // 5
    [1, 134, 108],
    [2, 67, 43],
    [2, 33, 15, 2, 34, 16],
    [2, 33, 11, 2, 34, 12],
    // 6
    [2, 86, 68],
    [4, 43, 27],
    [4, 43, 19],
    [4, 43, 15],
    // 7
    [2, 98, 78],
    [4, 49, 31],
    [2, 32, 14, 4, 33, 15],
    [4, 39, 13, 1, 40, 14],
    // 8
    [2, 121, 97],
    [2, 60, 38, 2, 61, 39],
    [4, 40, 18, 2, 41, 19],
    [4, 40, 14, 2, 41, 15],
    // 9
    [2, 146, 116],
    [3, 58, 36, 2, 59, 37],
    [4, 36, 16, 4, 37, 17],
    [4, 36, 12, 4, 37, 13],
    // 10
    [2, 86, 68, 2, 87, 69],
    [4, 69, 43, 1, 70, 44],
    [6, 43, 19, 2, 44, 20],
    [6, 43, 15, 2, 44, 16],
    // 11
    [4, 101, 81],
    [1, 80, 50, 4, 81, 51],
    [4, 50, 22, 4, 51, 23],
    [3, 36, 12, 8, 37, 13],
    // 12
    [2, 116, 92, 2, 117, 93],
    [6, 58, 36, 2, 59, 37],
    [4, 46, 20, 6, 47, 21],
    [7, 42, 14, 4, 43, 15],
    // 13
    [4, 133, 107],
    [8, 59, 37, 1, 60, 38],
    [8, 44, 20, 4, 45, 21],
    [12, 33, 11, 4, 34, 12],
    // 14
    [3, 145, 115, 1, 146, 116],
    [4, 64, 40, 5, 65, 41],
    [11, 36, 16, 5, 37, 17],
    [11, 36, 12, 5, 37, 13],
    // 15
    [5, 109, 87, 1, 110, 88],
    [5, 65, 41, 5, 66, 42],
    [5, 54, 24, 7, 55, 25],
    [11, 36, 12, 7, 37, 13],
    // 16
    [5, 122, 98, 1, 123, 99],
    [7, 73, 45, 3, 74, 46],
    [15, 43, 19, 2, 44, 20],
    [3, 45, 15, 13, 46, 16],
    // 17
    [1, 135, 107, 5, 136, 108],
    [10, 74, 46, 1, 75, 47],
    [1, 50, 22, 15, 51, 23],
    [2, 42, 14, 17, 43, 15],
    // 18
    [5, 150, 120, 1, 151, 121],
    [9, 69, 43, 4, 70, 44],
    [17, 50, 22, 1, 51, 23],
    [2, 42, 14, 19, 43, 15],
    // 19
    [3, 141, 113, 4, 142, 114],
    [3, 70, 44, 11, 71, 45],
    [17, 47, 21, 4, 48, 22],
    [9, 39, 13, 16, 40, 14],
    // 20
    [3, 135, 107, 5, 136, 108],
    [3, 67, 41, 13, 68, 42],
    [15, 54, 24, 5, 55, 25],
    [15, 43, 15, 10, 44, 16],
    // 21
    [4, 144, 116, 4, 145, 117],
    [17, 68, 42],
    [17, 50, 22, 6, 51, 23],
    [19, 46, 16, 6, 47, 17],
    // 22
    [2, 139, 111, 7, 140, 112],
    [17, 74, 46],
    [7, 54, 24, 16, 55, 25],
    [34, 37, 13],
    // 23
    [4, 151, 121, 5, 152, 122],
    [4, 75, 47, 14, 76, 48],
    [11, 54, 24, 14, 55, 25],
    [16, 45, 15, 14, 46, 16],
    // 24
    [6, 147, 117, 4, 148, 118],
    [6, 73, 45, 14, 74, 46],
    [11, 54, 24, 16, 55, 25],
    [30, 46, 16, 2, 47, 17],
    // 25
    [8, 132, 106, 4, 133, 107],
    [8, 75, 47, 13, 76, 48],
    [7, 54, 24, 22, 55, 25],
    [22, 45, 15, 13, 46, 16],
    // 26
    [10, 142, 114, 2, 143, 115],
    [19, 74, 46, 4, 75, 47],
    [28, 50, 22, 6, 51, 23],
    [33, 46, 16, 4, 47, 17],
    // 27
    [8, 152, 122, 4, 153, 123],
    [22, 73, 45, 3, 74, 46],
    [8, 53, 23, 26, 54, 24],
    [12, 45, 15, 28, 46, 16],
    // 28
    [3, 147, 117, 10, 148, 118],
    [3, 73, 45, 23, 74, 46],
    [4, 54, 24, 31, 55, 25],
    [11, 45, 15, 31, 46, 16],
    // 29
    [7, 146, 116, 7, 147, 117],
    [21, 73, 45, 7, 74, 46],
    [1, 53, 23, 37, 54, 24],
    [19, 45, 15, 26, 46, 16],
    // 30
    [5, 145, 115, 10, 146, 116],
    [19, 75, 47, 10, 76, 48],
    [15, 54, 24, 25, 55, 25],
    [23, 45, 15, 25, 46, 16],
    // 31
    [13, 145, 115, 3, 146, 116],
    [2, 74, 46, 29, 75, 47],
    [42, 54, 24, 1, 55, 25],
    [23, 45, 15, 28, 46, 16],
    // 32
    [17, 145, 115],
    [10, 74, 46, 23, 75, 47],
    [10, 54, 24, 35, 55, 25],
    [19, 45, 15, 35, 46, 16],
    // 33
    [17, 145, 115, 1, 146, 116],
    [14, 74, 46, 21, 75, 47],
    [29, 54, 24, 19, 55, 25],
    [11, 45, 15, 46, 46, 16],
    // 34
    [13, 145, 115, 6, 146, 116],
    [14, 74, 46, 23, 75, 47],
    [44, 54, 24, 7, 55, 25],
    [59, 46, 16, 1, 47, 17],
    // 35
    [12, 151, 121, 7, 152, 122],
    [12, 75, 47, 26, 76, 48],
    [39, 54, 24, 14, 55, 25],
    [22, 45, 15, 41, 46, 16],
    // 36
    [6, 151, 121, 14, 152, 122],
    [6, 75, 47, 34, 76, 48],
    [46, 54, 24, 10, 55, 25],
    [2, 45, 15, 64, 46, 16],
    // 37
    [17, 152, 122, 4, 153, 123],
    [29, 74, 46, 14, 75, 47],
    [49, 54, 24, 10, 55, 25],
    [24, 45, 15, 46, 46, 16],
    // 38
    [4, 152, 122, 18, 153, 123],
    [13, 74, 46, 32, 75, 47],
    [48, 54, 24, 14, 55, 25],
    [42, 45, 15, 32, 46, 16],
    // 39
    [20, 147, 117, 4, 148, 118],
    [40, 75, 47, 7, 76, 48],
    [43, 54, 24, 22, 55, 25],
    [10, 45, 15, 67, 46, 16],
    // 40
    [19, 148, 118, 6, 149, 119],
    [18, 75, 47, 31, 76, 48],
    [34, 54, 24, 34, 55, 25],
    [20, 45, 15, 61, 46, 16]
  ];
  const qrRSBlock = function(totalCount, dataCount) {
    const _this2 = {};
    _this2.totalCount = totalCount;
    _this2.dataCount = dataCount;
    return _this2;
  };
  const _this = {};
  const getRsBlockTable = function(typeNumber, errorCorrectionLevel) {
    switch (errorCorrectionLevel) {
      case QRErrorCorrectionLevel.L:
        return RS_BLOCK_TABLE[(typeNumber - 1) * 4 + 0];
      case QRErrorCorrectionLevel.M:
        return RS_BLOCK_TABLE[(typeNumber - 1) * 4 + 1];
      case QRErrorCorrectionLevel.Q:
        return RS_BLOCK_TABLE[(typeNumber - 1) * 4 + 2];
      case QRErrorCorrectionLevel.H:
        return RS_BLOCK_TABLE[(typeNumber - 1) * 4 + 3];
      default:
        return void 0;
    }
  };
  _this.getRSBlocks = function(typeNumber, errorCorrectionLevel) {
    const rsBlock = getRsBlockTable(typeNumber, errorCorrectionLevel);
    if (typeof rsBlock == "undefined") {
      throw "bad rs block @ typeNumber:" + typeNumber + "/errorCorrectionLevel:" + errorCorrectionLevel;
    }
    const length = rsBlock.length / 3;
    const list = [];
    for (let i = 0; i < length; i += 1) {
      const count = rsBlock[i * 3 + 0];
      const totalCount = rsBlock[i * 3 + 1];
      const dataCount = rsBlock[i * 3 + 2];
      for (let j = 0; j < count; j += 1) {
        list.push(qrRSBlock(totalCount, dataCount));
      }
    }
    return list;
  };
  return _this;
})();
var qrBitBuffer = function() {
  const _buffer = [];
  let _length = 0;
  const _this = {};
  _this.getBuffer = function() {
    return _buffer;
  };
  _this.getAt = function(index) {
    const bufIndex = Math.floor(index / 8);
    return (_buffer[bufIndex] >>> 7 - index % 8 & 1) == 1;
  };
  _this.put = function(num, length) {
    for (let i = 0; i < length; i += 1) {
      _this.putBit((num >>> length - i - 1 & 1) == 1);
    }
  };
  _this.getLengthInBits = function() {
    return _length;
  };
  _this.putBit = function(bit) {
    const bufIndex = Math.floor(_length / 8);
    if (_buffer.length <= bufIndex) {
      _buffer.push(0);
    }
    if (bit) {
      _buffer[bufIndex] |= 128 >>> _length % 8;
    }
    _length += 1;
  };
  return _this;
};
var qrNumber = function(data) {
  const _mode = QRMode.MODE_NUMBER;
  const _data = data;
  const _this = {};
  _this.getMode = function() {
    return _mode;
  };
  _this.getLength = function(buffer) {
    return _data.length;
  };
  _this.write = function(buffer) {
    const data2 = _data;
    let i = 0;
    while (i + 2 < data2.length) {
      buffer.put(strToNum(data2.substring(i, i + 3)), 10);
      i += 3;
    }
    if (i < data2.length) {
      if (data2.length - i == 1) {
        buffer.put(strToNum(data2.substring(i, i + 1)), 4);
      } else if (data2.length - i == 2) {
        buffer.put(strToNum(data2.substring(i, i + 2)), 7);
      }
    }
  };
  const strToNum = function(s) {
    let num = 0;
    for (let i = 0; i < s.length; i += 1) {
      num = num * 10 + chatToNum(s.charAt(i));
    }
    return num;
  };
  const chatToNum = function(c) {
    if ("0" <= c && c <= "9") {
      return c.charCodeAt(0) - "0".charCodeAt(0);
    }
    throw "illegal char :" + c;
  };
  return _this;
};
var qrAlphaNum = function(data) {
  const _mode = QRMode.MODE_ALPHA_NUM;
  const _data = data;
  const _this = {};
  _this.getMode = function() {
    return _mode;
  };
  _this.getLength = function(buffer) {
    return _data.length;
  };
  _this.write = function(buffer) {
    const s = _data;
    let i = 0;
    while (i + 1 < s.length) {
      buffer.put(
        getCode(s.charAt(i)) * 45 + getCode(s.charAt(i + 1)),
        11
      );
      i += 2;
    }
    if (i < s.length) {
      buffer.put(getCode(s.charAt(i)), 6);
    }
  };
  const getCode = function(c) {
    if ("0" <= c && c <= "9") {
      return c.charCodeAt(0) - "0".charCodeAt(0);
    } else if ("A" <= c && c <= "Z") {
      return c.charCodeAt(0) - "A".charCodeAt(0) + 10;
    } else {
      switch (c) {
        case " ":
          return 36;
        case "$":
          return 37;
        case "%":
          return 38;
        case "*":
          return 39;
        case "+":
          return 40;
        case "-":
          return 41;
        case ".":
          return 42;
        case "/":
          return 43;
        case ":":
          return 44;
        default:
          throw "illegal char :" + c;
      }
    }
  };
  return _this;
};
var qr8BitByte = function(data) {
  const _mode = QRMode.MODE_8BIT_BYTE;
  const _data = data;
  const _bytes = qrcode.stringToBytes(data);
  const _this = {};
  _this.getMode = function() {
    return _mode;
  };
  _this.getLength = function(buffer) {
    return _bytes.length;
  };
  _this.write = function(buffer) {
    for (let i = 0; i < _bytes.length; i += 1) {
      buffer.put(_bytes[i], 8);
    }
  };
  return _this;
};
var qrKanji = function(data) {
  const _mode = QRMode.MODE_KANJI;
  const _data = data;
  const stringToBytes2 = qrcode.stringToBytes;
  !(function(c, code) {
    const test = stringToBytes2(c);
    if (test.length != 2 || (test[0] << 8 | test[1]) != code) {
      throw "sjis not supported.";
    }
  })("友", 38726);
  const _bytes = stringToBytes2(data);
  const _this = {};
  _this.getMode = function() {
    return _mode;
  };
  _this.getLength = function(buffer) {
    return ~~(_bytes.length / 2);
  };
  _this.write = function(buffer) {
    const data2 = _bytes;
    let i = 0;
    while (i + 1 < data2.length) {
      let c = (255 & data2[i]) << 8 | 255 & data2[i + 1];
      if (33088 <= c && c <= 40956) {
        c -= 33088;
      } else if (57408 <= c && c <= 60351) {
        c -= 49472;
      } else {
        throw "illegal char at " + (i + 1) + "/" + c;
      }
      c = (c >>> 8 & 255) * 192 + (c & 255);
      buffer.put(c, 13);
      i += 2;
    }
    if (i < data2.length) {
      throw "illegal char at " + (i + 1);
    }
  };
  return _this;
};
var byteArrayOutputStream = function() {
  const _bytes = [];
  const _this = {};
  _this.writeByte = function(b) {
    _bytes.push(b & 255);
  };
  _this.writeShort = function(i) {
    _this.writeByte(i);
    _this.writeByte(i >>> 8);
  };
  _this.writeBytes = function(b, off, len) {
    off = off || 0;
    len = len || b.length;
    for (let i = 0; i < len; i += 1) {
      _this.writeByte(b[i + off]);
    }
  };
  _this.writeString = function(s) {
    for (let i = 0; i < s.length; i += 1) {
      _this.writeByte(s.charCodeAt(i));
    }
  };
  _this.toByteArray = function() {
    return _bytes;
  };
  _this.toString = function() {
    let s = "";
    s += "[";
    for (let i = 0; i < _bytes.length; i += 1) {
      if (i > 0) {
        s += ",";
      }
      s += _bytes[i];
    }
    s += "]";
    return s;
  };
  return _this;
};
var base64EncodeOutputStream = function() {
  let _buffer = 0;
  let _buflen = 0;
  let _length = 0;
  let _base64 = "";
  const _this = {};
  const writeEncoded = function(b) {
    _base64 += String.fromCharCode(encode2(b & 63));
  };
  const encode2 = function(n) {
    if (n < 0) {
      throw "n:" + n;
    } else if (n < 26) {
      return 65 + n;
    } else if (n < 52) {
      return 97 + (n - 26);
    } else if (n < 62) {
      return 48 + (n - 52);
    } else if (n == 62) {
      return 43;
    } else if (n == 63) {
      return 47;
    } else {
      throw "n:" + n;
    }
  };
  _this.writeByte = function(n) {
    _buffer = _buffer << 8 | n & 255;
    _buflen += 8;
    _length += 1;
    while (_buflen >= 6) {
      writeEncoded(_buffer >>> _buflen - 6);
      _buflen -= 6;
    }
  };
  _this.flush = function() {
    if (_buflen > 0) {
      writeEncoded(_buffer << 6 - _buflen);
      _buffer = 0;
      _buflen = 0;
    }
    if (_length % 3 != 0) {
      const padlen = 3 - _length % 3;
      for (let i = 0; i < padlen; i += 1) {
        _base64 += "=";
      }
    }
  };
  _this.toString = function() {
    return _base64;
  };
  return _this;
};
var base64DecodeInputStream = function(str) {
  const _str = str;
  let _pos = 0;
  let _buffer = 0;
  let _buflen = 0;
  const _this = {};
  _this.read = function() {
    while (_buflen < 8) {
      if (_pos >= _str.length) {
        if (_buflen == 0) {
          return -1;
        }
        throw "unexpected end of file./" + _buflen;
      }
      const c = _str.charAt(_pos);
      _pos += 1;
      if (c == "=") {
        _buflen = 0;
        return -1;
      } else if (c.match(/^\s$/)) {
        continue;
      }
      _buffer = _buffer << 6 | decode2(c.charCodeAt(0));
      _buflen += 6;
    }
    const n = _buffer >>> _buflen - 8 & 255;
    _buflen -= 8;
    return n;
  };
  const decode2 = function(c) {
    if (65 <= c && c <= 90) {
      return c - 65;
    } else if (97 <= c && c <= 122) {
      return c - 97 + 26;
    } else if (48 <= c && c <= 57) {
      return c - 48 + 52;
    } else if (c == 43) {
      return 62;
    } else if (c == 47) {
      return 63;
    } else {
      throw "c:" + c;
    }
  };
  return _this;
};
var gifImage = function(width, height) {
  const _width = width;
  const _height = height;
  const _data = new Array(width * height);
  const _this = {};
  _this.setPixel = function(x, y, pixel) {
    _data[y * _width + x] = pixel;
  };
  _this.write = function(out) {
    out.writeString("GIF87a");
    out.writeShort(_width);
    out.writeShort(_height);
    out.writeByte(128);
    out.writeByte(0);
    out.writeByte(0);
    out.writeByte(0);
    out.writeByte(0);
    out.writeByte(0);
    out.writeByte(255);
    out.writeByte(255);
    out.writeByte(255);
    out.writeString(",");
    out.writeShort(0);
    out.writeShort(0);
    out.writeShort(_width);
    out.writeShort(_height);
    out.writeByte(0);
    const lzwMinCodeSize = 2;
    const raster = getLZWRaster(lzwMinCodeSize);
    out.writeByte(lzwMinCodeSize);
    let offset = 0;
    while (raster.length - offset > 255) {
      out.writeByte(255);
      out.writeBytes(raster, offset, 255);
      offset += 255;
    }
    out.writeByte(raster.length - offset);
    out.writeBytes(raster, offset, raster.length - offset);
    out.writeByte(0);
    out.writeString(";");
  };
  const bitOutputStream = function(out) {
    const _out = out;
    let _bitLength = 0;
    let _bitBuffer = 0;
    const _this2 = {};
    _this2.write = function(data, length) {
      if (data >>> length != 0) {
        throw "length over";
      }
      while (_bitLength + length >= 8) {
        _out.writeByte(255 & (data << _bitLength | _bitBuffer));
        length -= 8 - _bitLength;
        data >>>= 8 - _bitLength;
        _bitBuffer = 0;
        _bitLength = 0;
      }
      _bitBuffer = data << _bitLength | _bitBuffer;
      _bitLength = _bitLength + length;
    };
    _this2.flush = function() {
      if (_bitLength > 0) {
        _out.writeByte(_bitBuffer);
      }
    };
    return _this2;
  };
  const getLZWRaster = function(lzwMinCodeSize) {
    const clearCode = 1 << lzwMinCodeSize;
    const endCode = (1 << lzwMinCodeSize) + 1;
    let bitLength = lzwMinCodeSize + 1;
    const table = lzwTable();
    for (let i = 0; i < clearCode; i += 1) {
      table.add(String.fromCharCode(i));
    }
    table.add(String.fromCharCode(clearCode));
    table.add(String.fromCharCode(endCode));
    const byteOut = byteArrayOutputStream();
    const bitOut = bitOutputStream(byteOut);
    bitOut.write(clearCode, bitLength);
    let dataIndex = 0;
    let s = String.fromCharCode(_data[dataIndex]);
    dataIndex += 1;
    while (dataIndex < _data.length) {
      const c = String.fromCharCode(_data[dataIndex]);
      dataIndex += 1;
      if (table.contains(s + c)) {
        s = s + c;
      } else {
        bitOut.write(table.indexOf(s), bitLength);
        if (table.size() < 4095) {
          if (table.size() == 1 << bitLength) {
            bitLength += 1;
          }
          table.add(s + c);
        }
        s = c;
      }
    }
    bitOut.write(table.indexOf(s), bitLength);
    bitOut.write(endCode, bitLength);
    bitOut.flush();
    return byteOut.toByteArray();
  };
  const lzwTable = function() {
    const _map = {};
    let _size = 0;
    const _this2 = {};
    _this2.add = function(key) {
      if (_this2.contains(key)) {
        throw "dup key:" + key;
      }
      _map[key] = _size;
      _size += 1;
    };
    _this2.size = function() {
      return _size;
    };
    _this2.indexOf = function(key) {
      return _map[key];
    };
    _this2.contains = function(key) {
      return typeof _map[key] != "undefined";
    };
    return _this2;
  };
  return _this;
};
var createDataURL = function(width, height, getPixel) {
  const gif = gifImage(width, height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      gif.setPixel(x, y, getPixel(x, y));
    }
  }
  const b = byteArrayOutputStream();
  gif.write(b);
  const base64 = base64EncodeOutputStream();
  const bytes = b.toByteArray();
  for (let i = 0; i < bytes.length; i += 1) {
    base64.writeByte(bytes[i]);
  }
  base64.flush();
  return "data:image/gif;base64," + base64;
};
var qrcode_default = qrcode;
var stringToBytes = qrcode.stringToBytes;

// mae_viz/browser/js/qr.js
var QUIET = 4;
function qr(text) {
  const code = qrcode_default(0, "M");
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const side = count + 2 * QUIET;
  let path = "";
  for (let y = 0; y < count; y++)
    for (let x = 0; x < count; x++) if (code.isDark(y, x)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.setAttribute("class", "qr");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "QR code of the link");
  svg.innerHTML = `<rect width="${side}" height="${side}" fill="#fff"/><path d="${path}" fill="#000"/>`;
  return svg;
}

// mae_viz/browser/js/remote.js
var MOST_THREADS = 4;
async function openCodec(base, { runtime = "wasm", threads, tile, loading } = {}) {
  const address = new URL(base, document.baseURI);
  const response = await fetch(new URL("codec.json", address));
  if (!response.ok) throw new Error(`${response.url} cannot be loaded (${response.status}): reload the page.`);
  const { runtimes, models } = await response.json();
  if (!runtimes[runtime])
    throw new RangeError(`no ${runtime} here: choose one of ${Object.keys(runtimes).join(", ")}.`);
  const codec = new RemoteCodec(
    new Worker(new URL("worker.js", address), { type: "module" }),
    {
      base: address.href,
      runtime: runtimes[runtime],
      exact: runtimes.wasm,
      // whole numbers in float64, which the runtime for GPUs does not have
      models,
      threads: threads ?? Math.min(navigator.hardwareConcurrency, MOST_THREADS),
      tile
    },
    loading
  );
  return { codec, models };
}
var RemoteCodec = class {
  #worker;
  #calls = /* @__PURE__ */ new Map();
  #last = 0;
  /** `settings`: what worker.js opens. */
  constructor(worker, settings, loading = () => {
  }) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => data.loading ? loading(data.loading) : this.#heard(data);
    worker.onerror = ({ message }) => this.#failed(new Error(message || "the codec's worker cannot be loaded."));
    worker.postMessage({ open: settings });
  }
  /** Load a model before a picture asks for it. */
  prepare(model) {
    return this.#call("prepare", model);
  }
  /** As `Library.encode`: {model, pixels, width, height, lmbda} → {model, bytes, index, lmbda, y, symbols}. */
  encode(source, looks) {
    return this.#call("encode", source, looks);
  }
  /** As `Library.decode`: the bytes of a file → {model, pixels, width, height, index, lmbda, symbols}. */
  decode(bytes, looks) {
    return this.#call("decode", bytes, looks);
  }
  /** Keep a picture, {key, pixels (RGBA), width, height}, for `frame`. */
  keep(picture) {
    return this.#call("keep", picture);
  }
  forget(key) {
    return this.#call("forget", key);
  }
  /** A frame of a picture that is kept, as `Frames.frame` has it. */
  frame(question, looks) {
    return this.#call("frame", question, looks);
  }
  /** Free what a model holds. */
  close(model) {
    return this.#call("close", model);
  }
  /** End the worker, and with an AbortError all that is under way. */
  terminate() {
    this.#worker.terminate();
    this.#failed(new DOMException("the codec was closed.", "AbortError"));
  }
  #call(call, argument, { progress, signal } = {}) {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const cancel = () => this.#worker.postMessage({ cancel: id });
      signal?.addEventListener("abort", cancel);
      const done = (settle, value) => {
        signal?.removeEventListener("abort", cancel);
        this.#calls.delete(id);
        settle(value);
      };
      this.#calls.set(id, {
        progress,
        resolve: (result) => done(resolve, result),
        reject: (error) => done(reject, signal?.aborted ? signal.reason : error)
      });
      this.#worker.postMessage({ id, call, argument });
    });
  }
  #heard({ id, progress, result, error }) {
    const call = this.#calls.get(id);
    if (progress !== void 0) call?.progress?.(progress);
    else if (error) call?.reject(Object.assign(new Error(error.message), { name: error.name }));
    else call?.resolve(result);
  }
  #failed(error) {
    for (const call of [...this.#calls.values()]) call.reject(error);
  }
};

// mae_viz/browser/js/site.js
import { mount as mount2 } from "./viewer.bundle.js";
var OWN = "own";
var BY_HAND = "#118877";
var MAE = /\.mae$/i;
var Site = class {
  constructor(site, remote2) {
    this.site = site;
    this.template = site.manifest;
    this.pictures = new Map(site.photographs.map((photograph) => [photograph.name, photograph]));
    this.count = 0;
    this.shown = 0;
    this.remote = remote2;
    this.ladders = new Ladders(remote2, (id) => {
      for (const viewer of this.viewers) viewer.frames.hear(id);
    });
    this.host = {
      ladder: (id, at2, inPanes) => this.ladders.ladder(id, at2, inPanes),
      bytes: (id, file, parts) => this.ladders.bytes(id, file, parts),
      report: (state) => this.report(state),
      hands: { get: (id) => this.hand[id], set: (id, hand) => this.change(id, hand) }
    };
    this.hand = {};
    this.fetched = /* @__PURE__ */ new Map();
    this.build();
  }
  build() {
    const button = (text, title, onclick) => h("button", { type: "button", text, title, onclick });
    this.choice = h(
      "select",
      { "aria-label": "Photograph", onchange: () => this.choose(this.choice.value) },
      ...[...this.pictures.values()].map(({ name, title }) => h("option", { value: name, text: title }))
    );
    this.file = h("input", {
      type: "file",
      accept: "image/*,.mae",
      hidden: true,
      onchange: () => this.take(this.file)
    });
    this.camera = h("input", {
      type: "file",
      accept: "image/*",
      capture: "environment",
      hidden: true,
      onchange: () => this.take(this.camera)
    });
    this.status = h("p", { class: "status", role: "status" });
    this.caption = h("p", { class: "caption" });
    this.saving = h("div", { class: "saving", role: "group", "aria-label": "Save files" });
    this.root = h("div", { id: "viewer" });
    this.offline = h("p", { class: "caption", role: "status" });
    this.dialog = h("dialog", { "aria-label": "Shown here" });
    document.querySelector("header").append(
      this.choice,
      button("Your own", "A picture or a .mae file: it never leaves this device", () => this.file.click()),
      button("Camera", "Take a picture: it never leaves this device", () => this.camera.click()),
      button("Share", "A link to what is on show, and its QR code", () => this.share()),
      this.file,
      this.camera
    );
    const more = h(
      "div",
      { class: "saving" },
      button("Start a blind test", "Equal bytes, no names: which would you rather have?", () => this.startBlind()),
      button("Votes of a room", "Add up the codes of many blind tests", () => this.open(...pool()))
    );
    document.querySelector("main").prepend(this.status, this.root, this.caption, this.saving, more, this.offline);
    document.body.append(this.dialog);
    this.dialog.addEventListener("click", ({ target }) => target === this.dialog && this.dialog.close());
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.bring(event.dataTransfer.files[0]);
    });
    addEventListener("paste", ({ clipboardData }) => this.bring(clipboardData.files[0]));
    addEventListener("hashchange", () => this.follow());
  }
  // pictures
  start() {
    const said = read(location.hash, this.known);
    this.said = said;
    return this.choose(this.pictures.has(said.image) ? said.image : this.site.photographs[0].name);
  }
  get known() {
    const { modes } = this.site;
    return { codecs: this.template.codecs, modes, titles: this.template.laboratory.titles };
  }
  /** Someone has followed a link to another state of this page. */
  follow() {
    if (location.hash.slice(1) === this.written) return;
    this.said = read(location.hash, this.known);
    const image = this.pictures.has(this.said.image) ? this.said.image : this.name;
    this.choose(image);
  }
  async choose(name) {
    const photograph = this.pictures.get(name);
    const turn = ++this.shown;
    try {
      const picture = photograph.pixels ? photograph : await this.bundled(photograph);
      if (turn === this.shown) this.show(name, picture, photograph);
    } catch (error) {
      if (turn === this.shown) this.say(error.message);
    }
  }
  async bundled({ name, file }) {
    if (!this.fetched.has(name)) {
      const made = fetch(new URL(file, import.meta.url)).then(async (answer) => {
        if (!answer.ok) throw new Error(`${file} cannot be had (${answer.status}): reload the page.`);
        return read2(await answer.blob());
      });
      this.fetched.set(name, made);
      made.catch(() => this.fetched.delete(name));
    }
    return this.fetched.get(name);
  }
  /** What a file input holds. */
  take(input) {
    this.bring(input.files[0]);
    input.value = "";
  }
  /** A picture of one's own, or a .mae file. */
  async bring(file) {
    if (!file) return;
    try {
      if (MAE.test(file.name)) return await this.decode(new Uint8Array(await file.arrayBuffer()), file.name);
      const picture = await read2(file);
      const title = file.name.replace(/\.[^.]*$/, "") || "Your picture";
      this.pictures.set(OWN, { name: OWN, title, ...picture });
      this.choice.querySelector(`[value=${OWN}]`)?.remove();
      this.choice.append(h("option", { value: OWN, text: title }));
      await this.choose(OWN);
    } catch (error) {
      this.say(`${file.name}: ${error.message}`);
    }
  }
  /** Those that show frames now. */
  get viewers() {
    return [this.viewer, this.blind?.viewer].filter(Boolean);
  }
  startBlind() {
    this.endBlind();
    const pair = this.template.laboratory.pair.map((id) => this.template.codecs.find((codec) => codec.id === id));
    this.blind = new Blind(this, pair);
    this.viewer.close();
    this.root.after(this.blind.element);
    this.blind.element.scrollIntoView({ block: "start" });
    this.blind.round();
  }
  endBlind() {
    if (!this.blind) return;
    this.blind.close();
    this.blind = null;
    const { index, panes, mode, panels } = this.state;
    const { manifest } = this;
    this.lookAt({
      ...manifest,
      rate: { ...manifest.rate, index },
      panes,
      laboratory: { ...manifest.laboratory, mode, panels }
    });
  }
  lookAt(manifest) {
    this.manifest = manifest;
    this.viewer = mount2(this.root, manifest, this.host);
    globalThis.maeViewer = this.viewer;
  }
  show(name, picture, photograph) {
    this.blind?.close();
    this.blind = null;
    this.say("");
    this.name = name;
    this.choice.value = name;
    const { pixels, width, height } = picture;
    const part = middle(picture);
    const whole = part.pixels === pixels ? null : picture;
    const key = `${name}-${++this.count}`;
    if (this.keys) for (const old of this.keys) this.remote.forget(old);
    this.keys = whole ? [key, `${key}-whole`] : [key];
    this.remote.keep({ key, pixels: part.pixels, width: part.width, height: part.height });
    if (whole) this.remote.keep({ key: `${key}-whole`, pixels, width, height });
    const manifest = { ...this.template, title: photograph.title, width: part.width, height: part.height, codecs: [] };
    if (whole) Object.assign(manifest, { whole: { width, height, ladders: {} }, part: [part.left, part.top] });
    for (const codec of this.template.codecs) this.offer(manifest, codec);
    for (const [id, hand] of Object.entries(this.hand)) this.offer(manifest, this.byHand(id, hand));
    this.manifest = manifest;
    this.keep();
    const { index, panes, mode, panels } = { ...this.asShown(this.state), ...this.said };
    this.said = {};
    manifest.rate = { ...manifest.rate, index: index ?? manifest.rate.index };
    manifest.panes = panes ?? manifest.panes;
    manifest.laboratory = { ...manifest.laboratory, ...mode && { mode }, ...panels && { panels } };
    this.lookAt(manifest);
    this.tell(photograph);
    this.report(this.viewer.state);
  }
  /** A codec to choose from, with ladders of the picture on show. */
  offer(manifest, codec) {
    const [key, whole] = this.keys;
    const ladder = this.ladders.add(key, codec, { grid: codec.grid, maps: codec.maps });
    manifest.codecs.push({ ...codec, ladder });
    const grid = codec.axis === "none" ? codec.grid : [];
    if (whole) manifest.whole.ladders[codec.id] = this.ladders.add(whole, codec, { grid, maps: false });
  }
  /** Nothing but what the manifest names is computed any more. */
  keep() {
    const { codecs, whole } = this.manifest;
    this.ladders.keep(/* @__PURE__ */ new Set([...codecs.map((codec) => codec.ladder), ...Object.values(whole?.ladders ?? {})]));
  }
  // gains by hand
  byHand(id, hand) {
    const codec = this.template.codecs.find((known) => known.id === id);
    const about = "gains moved by hand, or channels switched off: its file may need this decoder";
    const named = { title: `${codec.title}, by hand`, short: `${codec.short} by hand`, about };
    return { ...codec, ...named, id: `${id}-by-hand`, from: id, hand, colour: BY_HAND };
  }
  /** A person has moved a gain of a model or switched a channel off: the model with that stands beside the trained
   *  one. */
  change(id, hand) {
    const changed = hand.off?.length || Object.values(hand.factors ?? {}).some((of) => Object.keys(of).length);
    if (changed) this.hand[id] = hand;
    else delete this.hand[id];
    const own = `${id}-by-hand`;
    const { manifest, state } = this;
    const next = { ...manifest, codecs: manifest.codecs.filter((codec) => codec.id !== own) };
    const trained = { codec: id, layer: "picture" };
    let { panes } = state;
    if (changed) {
      this.offer(next, this.byHand(id, hand));
      if (!panes.some((pane) => pane.codec === own)) {
        this.before = panes;
        panes = [trained, { ...trained, codec: own }];
      }
    } else if (panes.some((pane) => pane.codec === own)) panes = this.before;
    next.rate = { ...next.rate, index: state.index };
    next.panes = panes;
    next.laboratory = { ...next.laboratory, mode: state.mode, panels: state.panels };
    this.manifest = next;
    this.keep();
    this.viewer.update(next);
    this.report(this.viewer.state);
  }
  /** What another picture goes on with. */
  asShown(state) {
    return state ? { index: state.index, panes: state.panes, mode: state.mode, panels: state.panels } : {};
  }
  tell({ look_for: look, credit, counterexample }) {
    this.caption.replaceChildren();
    if (!look) {
      this.caption.append("Your picture: it stays on this device.");
      return;
    }
    this.caption.append(`Look for ${look}. `);
    if (counterexample) this.caption.append(h("b", { text: "The counterexample:" }), ` ${counterexample}. `);
    this.caption.append(`Photograph: ${credit}.`);
  }
  // what is on show
  report(state) {
    this.state = state;
    const image = this.name === OWN ? void 0 : this.name;
    const panes = state.panes.map((pane) => ({ ...pane, codec: this.trained(pane.codec) }));
    this.written = write({ ...state, image, panes }, this.template.codecs);
    history.replaceState(null, "", `#${this.written}`);
    const models = this.manifest.codecs.filter(
      ({ id, axis, from }) => axis === "lmbda" && !from && state.panes.some((pane) => pane.codec === id)
    );
    this.saving.replaceChildren(
      ...models.map(
        (codec) => h("button", {
          type: "button",
          text: `Save .mae: ${codec.title}, λ = ${lambdaText(Math.round(state.lmbda))}`,
          onclick: () => this.save(codec)
        })
      )
    );
  }
  /** The codec that a model with gains by hand was made from. */
  trained(id) {
    return this.manifest.codecs.find((codec) => codec.id === id)?.from ?? id;
  }
  async save(codec) {
    const { index, lmbda } = this.state;
    const ladder = this.manifest.whole?.ladders[codec.id] ?? codec.ladder;
    this.say(`Writing the file of ${codec.title} …`);
    try {
      download(await this.ladders.stream(ladder, index), `${this.manifest.title}-${codec.id}-${Math.round(lmbda)}.mae`);
      this.say("");
    } catch (error) {
      this.say(`${codec.title}: ${error.message}`);
    }
  }
  /** The picture in a .mae file. */
  async decode(bytes, name) {
    this.say(`Decoding ${name} …`);
    const progress = (done) => this.say(`Decoding ${name}: ${Math.round(100 * done)} %`);
    const { pixels, width, height, lmbda, model } = await this.remote.decode(bytes, { progress });
    this.say("");
    const canvas = h("canvas", { width, height, role: "img", "aria-label": `The picture in ${name}` });
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    const codec = this.template.codecs.find(({ id }) => id === model);
    const bpp = (8 * bytes.length / (width * height)).toFixed(3);
    const png = async () => {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      download(blob, name.replace(MAE, ".png"));
    };
    this.open(
      h("h2", { text: name }),
      h("p", {
        text: `${codec?.title ?? model} at λ = ${lambdaText(+lmbda.toFixed(1))}: ${width} × ${height} pixels from ${bytesText(bytes.length)} bytes, ${bpp} bpp`
      }),
      canvas,
      h("button", { type: "button", text: "Save as PNG", onclick: png })
    );
  }
  share() {
    const url = location.href;
    const own = this.name === OWN ? " Your own picture does not travel with it." : "";
    this.open(
      h("h2", { text: "A link to what is on show" }),
      h("p", { text: `Whoever opens it sees the same λ, panes and panels.${own}` }),
      qr(url),
      h("p", {}, h("a", { href: url, text: url })),
      h("button", { type: "button", text: "Copy the link", onclick: () => navigator.clipboard.writeText(url) })
    );
  }
  open(...content) {
    const close = h("button", { type: "button", class: "close", text: "Close", onclick: () => this.dialog.close() });
    this.dialog.replaceChildren(...content, close);
    this.dialog.showModal();
  }
  /** Once pictures are there, everything else is fetched for use offline. */
  keepForLater() {
    const { serviceWorker } = navigator;
    if (!serviceWorker?.controller) return;
    serviceWorker.addEventListener("message", ({ data }) => {
      document.documentElement.dataset.kept = data;
      this.offline.textContent = "Everything is here now: this page works without a network.";
    });
    const look = setInterval(() => {
      if (!this.viewer?.panes.every((pane) => pane.frame)) return;
      clearInterval(look);
      serviceWorker.controller.postMessage("keep");
    }, 1e3);
  }
  say(text) {
    this.status.textContent = text;
    this.status.hidden = !text;
  }
  loading({ file, received, total }) {
    this.parts ??= /* @__PURE__ */ new Map();
    this.parts.set(file, { received, total });
    const open = [...this.parts.values()].filter((part) => part.received < part.total);
    if (!open.length) return this.say("");
    const sum = (of) => open.reduce((a, part) => a + part[of], 0) / 1e6;
    this.say(`Loading the models: ${sum("received").toFixed(1)} of ${sum("total").toFixed(1)} MB`);
  }
};
function download(blob, name) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name.replace(/[^\p{L}\p{N}.-]+/gu, "-") }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1e4);
}
var described = JSON.parse(document.getElementById("site").textContent);
var gpu = await navigator.gpu?.requestAdapter().catch(() => null);
var { codec: remote } = await openCodec(new URL("codec/", import.meta.url), {
  runtime: gpu ? "webgpu" : "wasm",
  loading: (what) => globalThis.maeSite?.loading(what)
});
globalThis.maeSite = new Site(described, remote);
await globalThis.maeSite.start();
globalThis.maeSite.keepForLater();
