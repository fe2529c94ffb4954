// Paper: the service worker caches the last good board and the paper page, so that both open without a server.

const AT_MOST_EVERY = 60_000;

/** @param {{worker: string, paper: string}} urls */
export async function keepPaper({ worker, paper }) {
  if (!("serviceWorker" in navigator) || !worker) return;
  try {
    await navigator.serviceWorker.register(worker, { scope: new URL("./", new URL(worker, location.href)).pathname });
  } catch (error) {
    // Only for pages over plain http from another machine: browsers allow no service workers there.
    console.info("The paper page can't be cached:", error.message);
    return;
  }
  const ready = await navigator.serviceWorker.ready;
  let saved = -Infinity;
  let version = "";
  let timer = 0;
  const save = () => {
    timer = 0;
    saved = performance.now();
    ready.active?.postMessage({ keep: [paper] });
  };
  document.addEventListener("huuva:board", (event) => {
    if (event.detail.version === version) return;
    version = event.detail.version;
    timer ||= setTimeout(save, Math.max(0, saved + AT_MOST_EVERY - performance.now()));
  });
  ready.active?.postMessage({ keep: [location.pathname, paper], assets: assets() });
  saved = performance.now();
}

function assets() {
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  return [...new Set(loaded)].filter((url) => new URL(url).origin === location.origin && url.includes("/static/"));
}
