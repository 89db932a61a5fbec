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

/** onnxruntime-web from `ort`, its address, with what lies beside it, or with `wasm`, a file that gzip has packed; models
 *  from the folder `files`. */
async function opened({ ort: address, wasm, files, models, threads, options, tile }) {
  const ort = await import(address);
  if (wasm) {
    const packed = await fetched(wasm, "onnxruntime");
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    ort.env.wasm.wasmBinary = await new Response(unpacked).arrayBuffer();
  } else ort.env.wasm.wasmPaths = new URL(".", address).href;
  // without cross-origin isolation there is no shared memory, and one thread
  ort.env.wasm.numThreads = self.crossOriginIsolated ? threads : 1;
  return new Library({ ort, models, options, tile, load: (file) => fetched(new URL(file, files), file) });
}

async function fetched(address, file) {
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
  return new Uint8Array(await new Blob(parts).arrayBuffer());
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
    library.catch(() => {}); // who asks hears of it
    frames.catch(() => {});
  } else if (data.cancel) controls.get(data.cancel)?.abort();
  else answer(data);
};
