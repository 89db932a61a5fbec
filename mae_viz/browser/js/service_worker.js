// Keeps the site for use offline, and adds the headers that let a page compute in several threads where its server does
// not send them. VERSION is written when the site is made: another one takes the place of this one's files.
const NAME = `mae-viz ${VERSION}`;
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(NAME);
      await cache.addAll(SHELL);
      await skipWaiting();
    })(),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      await Promise.all(
        names.filter((name) => name.startsWith("mae-viz ") && name !== NAME).map((n) => caches.delete(n)),
      );
      await clients.claim();
    })(),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(registration.scope)) return;
  event.respondWith(answer(request));
});

/** What is kept; else what the network has, which is kept from then on. */
async function answer(request) {
  const cache = await caches.open(NAME);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return isolated(kept);
  const found = await fetch(request);
  if (found.ok) await cache.put(request, found.clone());
  return isolated(found);
}

function isolated(answered) {
  if (answered.type === "opaque" || answered.status === 0) return answered;
  const headers = new Headers(answered.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(answered.body, { status: answered.status, statusText: answered.statusText, headers });
}

/** "keep": everything, for use offline. */
addEventListener("message", (event) => {
  if (event.data !== "keep") return;
  event.waitUntil(
    (async () => {
      const cache = await caches.open(NAME);
      for (const file of ALL) if (!(await cache.match(file))) await cache.add(file);
      for (const client of await clients.matchAll()) client.postMessage("kept");
    })(),
  );
});
