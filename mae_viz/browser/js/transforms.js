// The transforms of one model, run by onnxruntime-web: graphs as mae_viz/browser/graphs.py describes them, each loaded
// when it is first needed.

const ERRORS = 3; // of what onnxruntime says of graphs: warnings are for who makes them
const EXACT = "h_s"; // its float64 is in WebAssembly alone: neither GPUs have it, nor the build for them

let last = Promise.resolve();

/** What `work` gives, once all before it is done: onnxruntime takes one call at a time, whatever the session. */
function inTurn(work) {
  const done = last.then(work);
  last = done.catch(() => {});
  return done;
}

export class Transforms {
  #ort;
  #exact;
  #load;
  #options;
  #sessions = new Map();

  /** `ort`: onnxruntime-web, however it was imported. `load(part)`: a promise of a graph's bytes. `options`: of the
   *  sessions, such as {executionProviders: ["webgpu", "wasm"]}; and `exact()`, the onnxruntime-web that knows float64,
   *  or a promise of it, where `ort` does not. */
  constructor(ort, load, { exact = () => ort, ...options } = {}) {
    this.#ort = ort;
    this.#exact = exact;
    this.#load = load;
    this.#options = { executionProviders: ["wasm"], logSeverityLevel: ERRORS, ...options };
  }

  /** Make a transform ready to run: a promise of its session, and of the onnxruntime that it is one of. */
  ready(part) {
    if (!this.#sessions.has(part)) {
      const opened = this.#open(part);
      opened.catch(() => this.#sessions.delete(part)); // so that it can be tried again
      this.#sessions.set(part, opened);
    }
    return this.#sessions.get(part);
  }

  async #open(part) {
    const [bytes, ort] = await Promise.all([this.#load(part), part === EXACT ? this.#exact() : this.#ort]);
    const options = ort === this.#ort ? this.#options : { ...this.#options, executionProviders: ["wasm"] };
    return { ort, session: await inTurn(() => ort.InferenceSession.create(bytes, options)) };
  }

  /** What a part makes of `values`, Float32Array (channels, height, width), for h_s Float64Array: {values, height,
   *  width}. `rate`: {lmbda, and gains of layers by their names}, of which it takes the inputs that the graph has. */
  async run(part, values, [channels, height, width], rate) {
    const { ort, session } = await this.ready(part);
    return inTurn(async () => {
      const inputs = {};
      const [source, ...others] = session.inputNames;
      const tensor = (given, sides) =>
        new ort.Tensor(given instanceof Float64Array ? "float64" : "float32", given, sides);
      inputs[source] = tensor(values, [1, channels, height, width]);
      for (const name of others) {
        const given = typeof rate[name] === "number" ? Float32Array.of(rate[name]) : rate[name];
        inputs[name] = tensor(given, [given.length]);
      }
      const output = (await session.run(inputs))[session.outputNames[0]];
      const found = { values: await output.getData(), height: output.dims[2], width: output.dims[3] };
      output.dispose();
      return found;
    });
  }

  /** Free what the sessions hold; nothing of them may be under way. */
  async release() {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const opening of sessions) {
      const { session } = await opening;
      await inTurn(() => session.release());
    }
  }
}
