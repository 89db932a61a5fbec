// The page's side of worker.js: `encode` and `decode` as a Library has them, computed elsewhere.

const MOST_THREADS = 4; // beyond it a core less busy with other pages is worth more

/**
 * The codec in the folder that mae_viz/browser/space.py has written, at the address `base`: {codec, models}, a
 * RemoteCodec and what is said of each model: {name, title, fingerprint, lmbdas, stride, files, bytes}. `runtime`:
 * "wasm", which runs everywhere, or "webgpu", where the folder has it. `threads` count where the page is cross-origin
 * isolated. `tile`: as for `Codec.open`. `loading` hears of files on their way: {file, received, total}, in bytes.
 */
export async function openCodec(base, { runtime = "wasm", threads, tile, loading } = {}) {
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
      exact: runtimes.wasm, // whole numbers in float64, which the runtime for GPUs does not have
      models,
      threads: threads ?? Math.min(navigator.hardwareConcurrency, MOST_THREADS),
      tile,
    },
    loading,
  );
  return { codec, models };
}

/** A library in a worker. */
export class RemoteCodec {
  #worker;
  #calls = new Map();
  #last = 0;

  /** `settings`: what worker.js opens. */
  constructor(worker, settings, loading = () => {}) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => (data.loading ? loading(data.loading) : this.#heard(data));
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
        reject: (error) => done(reject, signal?.aborted ? signal.reason : error),
      });
      this.#worker.postMessage({ id, call, argument });
    });
  }

  #heard({ id, progress, result, error }) {
    const call = this.#calls.get(id);
    if (progress !== undefined) call?.progress?.(progress);
    else if (error) call?.reject(Object.assign(new Error(error.message), { name: error.name }));
    else call?.resolve(result);
  }

  #failed(error) {
    for (const call of [...this.#calls.values()]) call.reject(error);
  }
}
