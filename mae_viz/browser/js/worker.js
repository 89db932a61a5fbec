// The codec in a worker of its own, so that a page stays alive while pictures are coded. remote.js is the page's side.
//
// Messages to it: {open: settings} first, then {id, call, argument} with a call of CALLS, {cancel: id}.
// From it: {id, progress}, {id, result}, {id, error: {name, message}}; {loading: {file, received, total}} while a
// model's files arrive, total null where the server does not say it.
import { Frames } from "./frames.js";
import { Library } from "./library.js";

let library;
let frames;
const controls = new Map();

const CALLS = {
  prepare: (argument) => library.then((open) => open.prepare(argument)),
  encode: (argument, looks) => library.then((open) => open.encode(argument, looks)),
  decode: (argument, looks) => library.then((open) => open.decode(argument, looks)),
  close: (argument) => library.then((open) => open.close(argument)),
  keep: (argument) => frames.then((open) => open.keep(argument)),
  forget: (argument) => frames.then((open) => open.forget(argument)),
  frame: (argument, looks) => frames.then((open) => open.frame(argument, looks)),
};

/** A library of what codec.json names, all below `base`. */
async function opened({ base, runtime, exact, models, threads, tile }) {
  const load = (file) => fetched(file, new URL(file, base));
  const started = async ({ module, glue, wasm }) => {
    const [{ env, ...ort }, binary] = await Promise.all([import(new URL(module, base).href), load(wasm)]);
    env.wasm.wasmPaths = { mjs: new URL(glue, base).href };
    env.wasm.wasmBinary = binary;
    // without cross-origin isolation there is no shared memory, and one thread
    env.wasm.numThreads = self.crossOriginIsolated ? threads : 1;
    return ort;
  };
  const ort = await started(runtime);
  const options = { executionProviders: runtime.providers };
  if (exact.module !== runtime.module) {
    let other; // one for all models, once it is needed
    options.exact = () => {
      other ??= started(exact);
      other.catch(() => {
        other = undefined;
      });
      return other;
    };
  }
  return new Library({ ort, models, load, tile, options });
}

/** The bytes at an address, expanded where they came as gzip. */
async function fetched(file, address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${file} cannot be loaded (${response.status}): reload the page.`);
  // what is compressed on its way has another length
  const length = response.headers.get("Content-Encoding") ? null : response.headers.get("Content-Length");
  const total = length === null ? null : Number(length);
  const parts = [];
  let received = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    self.postMessage({ loading: { file, received, total } });
  }
  let blob = new Blob(parts);
  // A server that sends .gz as a content encoding has had the browser expand it already.
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  if (first === 0x1f && second === 0x8b)
    blob = await new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  return new Uint8Array(await blob.arrayBuffer());
}

async function answer({ id, call, argument }) {
  const control = new AbortController();
  controls.set(id, control);
  const progress = (done) => self.postMessage({ id, progress: done });
  try {
    const result = await CALLS[call](argument, { progress, signal: control.signal });
    self.postMessage({ id, result }, [...new Set(memoryOf(result))]);
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, message: error.message } });
  }
  controls.delete(id);
}

/** What the arrays in a result lie in: it goes to the page with them. */
function memoryOf(value) {
  if (ArrayBuffer.isView(value)) return [value.buffer];
  return value && typeof value === "object" ? Object.values(value).flatMap(memoryOf) : [];
}

self.onmessage = ({ data }) => {
  if (data.open) {
    library = opened(data.open);
    frames = library.then((open) => new Frames(open));
    frames.catch(() => {}); // who asks hears of it
  } else if (data.cancel) controls.get(data.cancel)?.abort();
  else answer(data);
};
