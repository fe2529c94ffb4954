// Service worker of /display/: caches the page, its files, the last good board and the paper page. Served as
// /display/worker.js, because the scope of a worker is the path below its own URL.
// Network first, always: what is cached is only shown when the server doesn't answer.

const CACHE = "huuva-display-1";
const ANSWER_MS = 4000; // so long an answer may take

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));

async function tidy() {
  for (const name of await caches.keys()) {
    if (name.startsWith("huuva-display-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener("message", (event) => {
  const { keep = [], assets = [] } = event.data ?? {};
  event.waitUntil(Promise.all([...keep, ...assets].map(save)));
});

/** Caches a file, or a page with the files that it names. */
async function save(url) {
  try {
    const answer = await fetch(url, { credentials: "same-origin", cache: "no-cache", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok || answer.redirected) return;
    const isPage = (answer.headers.get("Content-Type") ?? "").startsWith("text/html");
    const text = isPage ? await answer.clone().text() : "";
    const files = [...text.matchAll(/(?:href|src)="(\/static\/[^"#]+)"/g)].map(([, file]) => save(file));
    await (await caches.open(CACHE)).put(url, answer);
    await Promise.all(files);
  } catch (error) {
    console.info("Not cached:", url, error.message);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, url));
  else if (url.pathname.endsWith("/display/board")) event.respondWith(board(event, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
});

async function page(request, url) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.status === 403) await caches.delete(CACHE); // Revoked: nothing stays on this device.
    if (answer.status < 500) return answer;
  } catch {
    // No server: what is cached.
  }
  const cache = await caches.open(CACHE);
  const cached = (await cache.match(url.pathname)) ?? (await cache.match(url.pathname.replace(/\/$/, "/paper")));
  if (!cached) return Response.error();
  const latest = await cache.match("last-board");
  if (!latest || !url.pathname.endsWith("/display/")) return cached;
  // The page as it was loaded, with the board as it was last seen.
  const html = await cached.text();
  const begin = html.indexOf('<div id="wall"');
  const end = html.indexOf('<div class="stale"');
  if (begin < 0 || end < begin) return new Response(html, { headers: cached.headers });
  return new Response(html.slice(0, begin) + (await latest.text()) + html.slice(end), { headers: cached.headers });
}

async function board(event, url) {
  const answer = await fetch(event.request);
  if (answer.status === 200) {
    const copy = answer.clone();
    event.waitUntil(caches.open(CACHE).then((cache) => cache.put("last-board", copy)));
  } else if (answer.status === 403) {
    event.waitUntil(caches.delete(CACHE));
  }
  return answer;
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const cached = await caches.match(request, { ignoreSearch: true });
    if (cached) return cached;
    throw error;
  }
}
