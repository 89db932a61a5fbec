// State as text behind the page's "#", in the words of the app's addresses: image, lambda, panes (as
// mae_viz/viewer/pane_text.py writes them), mode, panels.
import limits from "../../viewer/panes.json" with { type: "json" };
import { indexNear, LMBDA_MAX, LMBDA_MIN, lmbdaAt } from "./rates.js";

const MATCHES = { bytes: "bytes", psnr: "psnr_db" };
const PANE = /^([\w.-]+?)(?::([a-z]+)(?:\.(\d{1,4}))?(?:\/([\d.]+))?)?(?:@(bytes|psnr|[\d.]+))?$/;

const lmbdaOf = (index) => +lmbdaAt(index).toFixed(1);
const indexOf = (lmbda) => indexNear(Math.min(LMBDA_MAX, Math.max(LMBDA_MIN, lmbda || 0)));
const told = (codec, at) => (codec.axis === "lmbda" ? lmbdaOf(at) : at);
const at = (codec, text) =>
  Math.min(codec.last, Math.max(codec.first, codec.axis === "lmbda" ? indexOf(+text) : +text));

/** A value as it may stand behind "#": what separates panes and their parts stays readable. */
const plain = (value) => encodeURIComponent(value).replace(/%2C|%3A|%2F|%40/g, decodeURIComponent);

/** The state of a viewer as text. `codecs`: of its manifest. */
export function write({ image, index, panes, mode, panels }, codecs) {
  const said = panes.map((pane) => {
    const codec = codecs.find(({ id }) => id === pane.codec);
    let text = pane.codec;
    if ((pane.layer ?? "picture") !== "picture") text += `:${pane.layer}`;
    if (pane.channel !== null && pane.channel !== undefined) text += `.${pane.channel}`;
    if (pane.layer === "ratio" && pane.base) text += `/${told(codec, pane.base)}`;
    if (pane.follow === "own" && pane.own !== null) text += `@${told(codec, pane.own)}`;
    else if (pane.follow === "bytes" && codec.axis === "lmbda") text += "@bytes";
    else if (pane.follow === "psnr_db") text += "@psnr";
    return text;
  });
  const parts = { image, lambda: lmbdaOf(index), panes: said.join(","), mode, panels: panels?.join(",") };
  return Object.entries(parts)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key}=${plain(value)}`)
    .join("&");
}

/** What a text says: {image, index, panes, mode, panels}, without what it does not say or what there is not. */
export function read(text, { codecs, modes, titles }) {
  const given = new URLSearchParams(text.replace(/^#/, ""));
  const found = {};
  if (given.get("image")) found.image = given.get("image");
  const lmbda = Number(given.get("lambda"));
  if (lmbda >= LMBDA_MIN && lmbda <= LMBDA_MAX) found.index = indexOf(lmbda);
  const panes = (given.get("panes") ?? "")
    .split(",")
    .filter(Boolean)
    .map((part) => paneOf(part, codecs));
  if (panes.length && panes.length <= limits.most && panes.every(Boolean)) found.panes = panes;
  if (modes.includes(given.get("mode"))) found.mode = given.get("mode");
  if (given.has("panels"))
    found.panels = given
      .get("panels")
      .split(",")
      .filter((name) => name in titles);
  return found;
}

function paneOf(text, codecs) {
  const [, name, layer, channel, base, rate] = PANE.exec(text) ?? [];
  const codec = codecs.find(({ id }) => id === name);
  if (!codec || (layer && !(layer in limits.layers))) return null;
  const pane = { codec: name, layer: layer ?? "picture" };
  if (channel) pane.channel = +channel;
  if (base) pane.base = at(codec, base);
  if (MATCHES[rate]) pane.follow = MATCHES[rate];
  else if (rate) Object.assign(pane, { follow: "own", own: at(codec, rate) });
  return pane;
}
