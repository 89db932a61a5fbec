// The page's side of the worker: questions and their answers, matched by number.

/** What the worker can be asked. `onloading` hears {name, file, loaded, total} of what is fetched. */
export class Engine {
  #worker;
  #waiting = new Map();
  #last = 0;
  onloading = () => {};

  constructor(worker, described) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#hear(data);
    worker.onerror = (event) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the codec stopped (${event.message || "no reason given"}): reload the page.`));
      this.#waiting.clear();
    };
    this.ask("start", { described });
  }

  /** A promise of the answer; `progress` hears the fraction done; `signal` cancels. */
  ask(task, question = {}, { progress, signal, transfer = [] } = {}) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, progress });
      signal?.addEventListener("abort", () => this.#worker.postMessage({ id, task: "cancel" }));
      this.#worker.postMessage({ ...question, id, task }, transfer);
    });
  }

  #hear({ id, done, failed, cancelled, progress, loading }) {
    if (loading) return this.onloading(loading);
    const asked = this.#waiting.get(id);
    if (!asked) return;
    if (progress !== undefined) return asked.progress?.(progress);
    this.#waiting.delete(id);
    if (cancelled) asked.reject(new DOMException("cancelled", "AbortError"));
    else if (failed) asked.reject(new Error(failed));
    else asked.resolve(done);
  }
}
