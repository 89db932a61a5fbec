// The page: a choice of pictures, the viewer with its laboratory on top of models that run here, and files in and out.
import { h } from "../../viewer/js/dom.js";
import { bytesText, lambdaText } from "../../viewer/js/numbers.js";
import * as address from "./address.js";
import { Blind, pool } from "./blind.js";
import { Ladders } from "./ladders.js";
import { middle, read } from "./pictures.js";
import { qr } from "./qr.js";
import { openCodec } from "./remote.js";
import { mount } from "./viewer.bundle.js"; // beside the page

const OWN = "own";
const BY_HAND = "#118877"; // of a codec that stands beside the trained one
const MAE = /\.mae$/i;

class Site {
  constructor(site, remote) {
    this.site = site;
    this.template = site.manifest;
    this.pictures = new Map(site.photographs.map((photograph) => [photograph.name, photograph]));
    this.count = 0;
    this.shown = 0;
    this.remote = remote;
    this.ladders = new Ladders(remote, (id) => {
      for (const viewer of this.viewers) viewer.frames.hear(id);
    });
    this.host = {
      ladder: (id, at, inPanes) => this.ladders.ladder(id, at, inPanes),
      bytes: (id, file, parts) => this.ladders.bytes(id, file, parts),
      report: (state) => this.report(state),
      hands: { get: (id) => this.hand[id], set: (id, hand) => this.change(id, hand) },
    };
    this.hand = {}; // what a person has changed in a model, by the codec's id
    this.fetched = new Map();
    this.build();
  }

  build() {
    const button = (text, title, onclick) => h("button", { type: "button", text, title, onclick });
    this.choice = h(
      "select",
      { "aria-label": "Photograph", onchange: () => this.choose(this.choice.value) },
      ...[...this.pictures.values()].map(({ name, title }) => h("option", { value: name, text: title })),
    );
    this.file = h("input", {
      type: "file",
      accept: "image/*,.mae",
      hidden: true,
      onchange: () => this.take(this.file),
    });
    this.camera = h("input", {
      type: "file",
      accept: "image/*",
      capture: "environment",
      hidden: true,
      onchange: () => this.take(this.camera),
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
      this.camera,
    );
    const more = h(
      "div",
      { class: "saving" },
      button("Start a blind test", "Equal bytes, no names: which would you rather have?", () => this.startBlind()),
      button("Votes of a room", "Add up the codes of many blind tests", () => this.open(...pool())),
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
    const said = address.read(location.hash, this.known);
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
    this.said = address.read(location.hash, this.known);
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
        return read(await answer.blob());
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
      const picture = await read(file);
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
    this.viewer.close(); // so that nothing else is computed meanwhile
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
      laboratory: { ...manifest.laboratory, mode, panels },
    });
  }

  lookAt(manifest) {
    this.manifest = manifest;
    this.viewer = mount(this.root, manifest, this.host);
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
    manifest.laboratory = { ...manifest.laboratory, ...(mode && { mode }), ...(panels && { panels }) };
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
    this.ladders.keep(new Set([...codecs.map((codec) => codec.ladder), ...Object.values(whole?.ladders ?? {})]));
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
    const image = this.name === OWN ? undefined : this.name;
    const panes = state.panes.map((pane) => ({ ...pane, codec: this.trained(pane.codec) })); // no link holds a hand
    this.written = address.write({ ...state, image, panes }, this.template.codecs);
    history.replaceState(null, "", `#${this.written}`);
    const models = this.manifest.codecs.filter(
      ({ id, axis, from }) => axis === "lmbda" && !from && state.panes.some((pane) => pane.codec === id),
    );
    this.saving.replaceChildren(
      ...models.map((codec) =>
        h("button", {
          type: "button",
          text: `Save .mae: ${codec.title}, λ = ${lambdaText(Math.round(state.lmbda))}`,
          onclick: () => this.save(codec),
        }),
      ),
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
    const progress = (done) => this.say(`Decoding ${name}: ${Math.round(100 * done)}\u202f%`);
    const { pixels, width, height, lmbda, model } = await this.remote.decode(bytes, { progress });
    this.say("");
    const canvas = h("canvas", { width, height, role: "img", "aria-label": `The picture in ${name}` });
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    const codec = this.template.codecs.find(({ id }) => id === model);
    const bpp = ((8 * bytes.length) / (width * height)).toFixed(3);
    const png = async () => {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      download(blob, name.replace(MAE, ".png"));
    };
    this.open(
      h("h2", { text: name }),
      h("p", {
        text:
          `${codec?.title ?? model} at λ = ${lambdaText(+lmbda.toFixed(1))}: ${width} × ${height} pixels from ` +
          `${bytesText(bytes.length)}\u202fbytes, ${bpp}\u202fbpp`,
      }),
      canvas,
      h("button", { type: "button", text: "Save as PNG", onclick: png }),
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
      h("button", { type: "button", text: "Copy the link", onclick: () => navigator.clipboard.writeText(url) }),
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
    }, 1000);
  }

  say(text) {
    this.status.textContent = text;
    this.status.hidden = !text;
  }

  loading({ file, received, total }) {
    this.parts ??= new Map();
    this.parts.set(file, { received, total });
    const open = [...this.parts.values()].filter((part) => part.received < part.total);
    if (!open.length) return this.say("");
    const sum = (of) => open.reduce((a, part) => a + part[of], 0) / 1e6;
    this.say(`Loading the models: ${sum("received").toFixed(1)} of ${sum("total").toFixed(1)}\u202fMB`);
  }
}

function download(blob, name) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name.replace(/[^\p{L}\p{N}.-]+/gu, "-") }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

const described = JSON.parse(document.getElementById("site").textContent);
const gpu = await navigator.gpu?.requestAdapter().catch(() => null);
const { codec: remote } = await openCodec(new URL("codec/", import.meta.url), {
  runtime: gpu ? "webgpu" : "wasm",
  loading: (what) => globalThis.maeSite?.loading(what),
});
globalThis.maeSite = new Site(described, remote);
await globalThis.maeSite.start();
globalThis.maeSite.keepForLater();
