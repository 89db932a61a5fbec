// Streamlit runs this at every change of data or theme; `mount` then updates the viewer that is there.
const hosts = new WeakMap();
let memory = null;

const AGAIN_MS = 5000; // between two runs of the page that bring back what the server has forgotten

export default async function ({ parentElement, data, setStateValue, setTriggerValue }) {
  globalThis.maeVizMemory ??= remember(); // one for the page, however often this file is run
  memory = globalThis.maeVizMemory;
  const { version, manifest, asking } = data;
  // a proxy may have given the server another address than it knows: like Streamlit's own files, these lie beside the
  // page
  const base = new URL(data.base, document.baseURI).href;
  const { mount } = await import(`${base}/viewer-${version}.js`);
  const host = hosts.get(parentElement) ?? { ladder, bytes, keep, recalled };
  hosts.set(parentElement, host);
  const lost = () => setTriggerValue("lost", true);
  Object.assign(host, { base, asking, lost, report: (state) => setStateValue("view", state) });
  const viewer = mount(parentElement, manifest, host);
  // Streamlit calls this also where a newer run has overtaken this one, and the viewer goes on: only what has left the
  // page is closed
  return () => setTimeout(() => parentElement.isConnected || viewer.close());
}

// Where the viewer looked, by address: Back, Forward and a reload bring it again, a new choice of the same does not.

function remember() {
  const [arrival] = performance.getEntriesByType("navigation");
  const made = { found: ["reload", "back_forward"].includes(arrival?.type) ? kept() : null };
  addEventListener("popstate", () => Object.assign(made, { found: kept() }));
  return made;
}

function kept() {
  return JSON.parse(storage()?.getItem(`mae_viz ${location.href}`) ?? null);
}

function storage() {
  try {
    return sessionStorage;
  } catch {
    return null; // in a frame of another site browsers may refuse it
  }
}

function keep(where) {
  const [key, text] = [`mae_viz ${location.href}`, JSON.stringify(where)];
  if (memory.last !== key + text) storage()?.setItem(key, text);
  memory.last = key + text;
}

function recalled() {
  const { found } = memory;
  memory.found = null;
  return found;
}

async function ladder(id, at) {
  const { header, session } = this.asking;
  const answer = await fetch(`${this.base}/ladder/${id}${at.length ? `?at=${at}` : ""}`, {
    headers: { [header]: session },
  });
  if (answer.ok) return answer.json();
  if (![403, 404].includes(answer.status)) throw new Error(`the server answers ${answer.status}`);
  if (!(performance.now() - this.again < AGAIN_MS)) {
    this.again = performance.now();
    this.lost();
  }
  throw new Error((await answer.json()).error);
}

async function bytes(id, file, start, length) {
  const part = length === undefined ? {} : { headers: { Range: `bytes=${start}-${start + length - 1}` } };
  const answer = await fetch(`${this.base}/ladder/${id}/${file}`, part);
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  const data = await answer.blob();
  return length !== undefined && answer.status === 200 ? data.slice(start, start + length) : data;
}
