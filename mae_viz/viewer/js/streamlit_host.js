// Streamlit runs this at every change of data or theme; `mount` then updates the viewer that is there.
const hosts = new WeakMap();
let memory = null;

const AGAIN_MS = 5000; // between two runs of the page that bring back what the server has forgotten
const LOST_MS = 30000; // after which a question without an answer has got lost on its way, and is asked again

export default async function ({ parentElement, data, setStateValue, setTriggerValue }) {
  globalThis.maeVizMemory ??= remember(); // one for the page, however often this file is run
  memory = globalThis.maeVizMemory;
  const { version, manifest, asking } = data;
  // a proxy may have given the server another address than it knows: like Streamlit's own files, these lie beside the
  // page
  const base = new URL(data.base, document.baseURI).href;
  const { mount } = await import(`${base}/viewer-${version}.js`);
  const host = hosts.get(parentElement) ?? { ladder, bytes, refine, letGo, keep, recalled };
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

/** What is kept of the address: {address, where}; null where nothing is. */
function kept() {
  const where = JSON.parse(storage()?.getItem(`mae_viz ${location.href}`) ?? null);
  return where && { address: location.href, where };
}

function storage() {
  try {
    return sessionStorage;
  } catch {
    return null; // in a frame of another site browsers may refuse it
  }
}

function keep(where, moved = false) {
  if (moved)
    memory.found = null; // nothing that is still to be recalled undoes it
  else if (memory.found) return; // Back has changed the address, and what is drawn is still the other's
  const [key, text] = [`mae_viz ${location.href}`, JSON.stringify(where)];
  if (memory.last !== key + text) storage()?.setItem(key, text);
  memory.last = key + text;
}

function recalled() {
  const { found } = memory;
  memory.found = null;
  return found?.address === location.href ? found.where : null; // since Back someone may have gone on by a link
}

async function ladder(id, at) {
  const { header, session } = this.asking;
  const answer = await fetch(`${this.base}/ladder/${id}${at.length ? `?at=${at}` : ""}`, {
    headers: { [header]: session },
    signal: AbortSignal.timeout(LOST_MS),
  });
  if (answer.ok) return answer.json();
  if (![403, 404].includes(answer.status)) throw new Error(`the server answers ${answer.status}`);
  if (!(performance.now() - this.again < AGAIN_MS)) {
    this.again = performance.now();
    this.lost();
  }
  throw Object.assign(new Error((await answer.json()).error), { gone: true });
}

/** Have a ladder's picture refined at a rate, where a mask says: the id of the ladder that comes of it. */
async function refine(id, at, mask) {
  const { header, session } = this.asking;
  const question = { method: "POST", headers: { [header]: session }, body: mask };
  const answer = await fetch(`${this.base}/ladder/${id}/refined?at=${at}`, question);
  const said = await answer.json();
  if (answer.status === 404) this.lost();
  if (!answer.ok) throw new Error(said.error);
  return said.ladder;
}

/** Nothing of a ladder is waited for any more. */
function letGo(id) {
  const { header, session } = this.asking;
  fetch(`${this.base}/ladder/${id}`, { method: "DELETE", headers: { [header]: session }, keepalive: true }).catch(
    () => {},
  );
}

async function bytes(id, file, parts) {
  const ranges = parts?.map(([start, length]) => `${start}-${start + length - 1}`);
  const lost = new AbortController();
  const patience = setTimeout(() => lost.abort(), LOST_MS);
  const headers = ranges ? { Range: `bytes=${ranges}` } : {};
  const answer = await fetch(`${this.base}/ladder/${id}/${file}`, { headers, signal: lost.signal });
  clearTimeout(patience); // what has begun to come may take its time
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  if (!parts) return answer.blob();
  const data = await answer.arrayBuffer();
  const there = pieces(answer, data);
  return new Blob(
    parts.map(([start, length]) => {
      const piece = there.find((one) => one.start <= start && start + length <= one.end);
      return new Uint8Array(data, piece.at + start - piece.start, length);
    }),
  );
}

/** Which bytes of a file an answer brings, and where in it: [{start, end, at}]. Neighbours may come as one. */
function pieces(answer, data) {
  if (answer.status === 200) return [{ start: 0, end: data.byteLength, at: 0 }];
  const one = /bytes (\d+)-(\d+)/.exec(answer.headers.get("Content-Range"));
  if (one) return [{ start: +one[1], end: +one[2] + 1, at: 0 }];
  // several: before each is a head that says which it is
  const text = new TextDecoder("latin1").decode(data);
  const head = /Content-Range: bytes (\d+)-(\d+)\/\d+\r\n\r\n/gi;
  const out = [];
  for (let found = head.exec(text); found; found = head.exec(text)) {
    const piece = { start: +found[1], end: +found[2] + 1, at: head.lastIndex };
    out.push(piece);
    head.lastIndex += piece.end - piece.start;
  }
  return out;
}
