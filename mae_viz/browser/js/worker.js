// The worker that computes: models are loaded when they are first needed, frames made one after the other.
//
//   {id, task: "picture", key, pixels, width, height}    keep a picture; {task: "forget", key} lets it go
//   {id, task: "frame", key, codec, at, maps}            → {id, done: {frame, files, maps}}
//   {id, task: "decode", bytes}                          → {id, done: {pixels, width, height, lmbda, name}}
//   {id, task: "load", codec}                            → {id, done: null}: a model, ahead of need
//   {task: "cancel", id}                                 → {id, cancelled: true}
//   {id, failed: "a sentence"}, {id, progress}, {loading: {name, loaded, total}}
import { parse } from "./bitstream.js";
import { Codec } from "./codec.js";
import { ofBrowser, ofModel, original } from "./frame.js";

let site = null; // what the page says at first: {models: {name: {files: {part: {file, bytes}}, fingerprint}}, runtime}
const pictures = new Map();
const codecs = new Map();
const running = new Map();
let runtime = null;

const TASKS = {
  async start({ described }) {
    site = described;
    return null;
  },

  async picture({ key, pixels, width, height }) {
    pictures.set(key, { pixels, width, height });
    return null;
  },

  async forget({ key }) {
    pictures.delete(key);
    return null;
  },

  async load({ codec }) {
    const made = await open(codec.id);
    await Promise.all(made.facts.parts.map((part) => made.transforms.ready(part)));
    return null;
  },

  async frame({ key, codec, at, maps }, looks) {
    const picture = pictures.get(key);
    if (!picture) throw new Error("this picture is not open any more.");
    if (codec.axis === "none") return original(picture);
    if (codec.encoder) return ofBrowser(codec.encoder, picture, at);
    return ofModel(await open(codec.from ?? codec.id), picture, at, { maps, hand: codec.hand, ...looks });
  },

  async decode({ bytes }, looks) {
    const { fingerprint } = parse(bytes);
    const [name] = Object.entries(site.models).find(([, model]) => model.fingerprint === fingerprint) ?? [];
    if (!name) throw new Error(`the file was made with model ${fingerprint}, which this page does not have.`);
    const { pixels, width, height, lmbda } = await (await open(name)).decode(bytes, looks);
    return { pixels, width, height, lmbda, name };
  },
};

addEventListener("message", async ({ data: { id, task, ...rest } }) => {
  if (task === "cancel") return running.get(id)?.abort();
  const control = new AbortController();
  running.set(id, control);
  let told = 0;
  const progress = (done) => {
    if (done - told < 0.02 && done < 1) return;
    told = done;
    postMessage({ id, progress: done });
  };
  try {
    const done = await TASKS[task](rest, { progress, signal: control.signal });
    postMessage({ id, done }, buffersOf(done));
  } catch (error) {
    postMessage(control.signal.aborted ? { id, cancelled: true } : { id, failed: error.message ?? String(error) });
  } finally {
    running.delete(id);
  }
});

function buffersOf(done) {
  const arrays = [done?.pixels, ...Object.values(done?.files ?? {})].filter(Boolean);
  return [...new Set(arrays.map((array) => array.buffer))];
}

function open(name) {
  if (!codecs.has(name)) {
    const opened = onnxruntime().then(({ ort, options }) =>
      Codec.open({ ort, options, load: (part) => fetched(site.models[name].files[part], name) }),
    );
    opened.catch(() => codecs.delete(name)); // so that it can be tried again
    codecs.set(name, opened);
  }
  return codecs.get(name);
}

/** onnxruntime-web: WebGPU where there is one, else WebAssembly with as many threads as the page may have. */
function onnxruntime() {
  runtime ??= (async () => {
    const gpu = await globalThis.navigator.gpu?.requestAdapter().catch(() => null);
    const { module, wasm } = gpu ? site.runtime.webgpu : site.runtime.wasm;
    const ort = await import(new URL(module, import.meta.url).href);
    ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
    const packed = await fetched(wasm, "onnxruntime");
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    ort.env.wasm.wasmBinary = await new Response(unpacked).arrayBuffer();
    const executionProviders = gpu ? ["webgpu", "wasm"] : ["wasm"];
    return { ort, options: { executionProviders } };
  })();
  runtime.catch(() => {
    runtime = null;
  });
  return runtime;
}

/** The bytes of a file of the site, with its progress told. */
async function fetched({ file, bytes: total }, name) {
  const answer = await fetch(new URL(file, import.meta.url));
  if (!answer.ok) throw new Error(`${file} cannot be had (${answer.status}): reload the page.`);
  const out = new Uint8Array(total);
  let loaded = 0;
  for await (const chunk of chunks(answer.body)) {
    if (loaded + chunk.length > total) throw new Error(`${file} is not what it was: reload the page.`);
    out.set(chunk, loaded);
    loaded += chunk.length;
    postMessage({ loading: { name, file, loaded, total } });
  }
  if (loaded < total) throw new Error(`${file} is cut off: reload the page.`);
  return out;
}

async function* chunks(stream) {
  const reader = stream.getReader(); // not every browser can iterate over a stream
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}
