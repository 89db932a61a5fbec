// The page's side of worker.js: `encode` and `decode` as a Library has them, computed elsewhere.

export class RemoteCodec {
  #worker;
  #calls = new Map();
  #last = 0;

  /**
   * `worker`: a module Worker of worker.js. `settings`: `ort`, the address of onnxruntime-web's module, beside which
   * its .mjs and .wasm lie, or only the .mjs, and `wasm` is the address of the other; `files`, that of the folder with
   * the models' files, to whose names `suffix` is added; `models`, [{name, fingerprint}]; `threads`, of a page that is
   * cross-origin isolated; `options` and `tile` as for `Codec.open`. What is gzip at these addresses is expanded: of
   * onnxruntime's .wasm a quarter is left. `loading` hears of files on their way: {file, received, total}, in bytes.
   */
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
