// Boards over HTTP: requested by the version that is painted, parsed into the answers that live.js takes.

/** Requests a board. It names the version that is painted, not the last one that arrived: a lost answer must come again. */
export function requestBoard(url, painted, signal) {
  const headers = { "X-Requested-With": "fetch", "If-None-Match": `"${painted.dataset.version}"` };
  return fetch(url, { headers, signal, cache: "no-store" });
}

/** An answer for live.js; `selector` finds the board in it. Rejects when there is no good one. */
export async function parseBoard(response, selector) {
  const { headers, status } = response;
  const serverTime = Number(headers.get("X-Server-Time")) || undefined;
  const stamp = headers.get("X-Board-Moment");
  if (status === 304) {
    return { board: null, serverTime, stamp, next: Number(headers.get("X-Board-Next")), streamUrl: headers.get("X-Stream-Url") };
  }
  if (status === 403) {
    location.reload(); // The page that the server sends then says why this screen shows nothing any more.
    return { board: null, ended: true };
  }
  if (!response.ok) throw new Error(`The board answered ${status}`);
  const sheet = document.createElement("template");
  sheet.innerHTML = await response.text();
  const board = sheet.content.querySelector(selector);
  if (!board) throw new Error("The answer holds no board");
  return { stamp, ...boardData(board), board };
}

/** What a board says of itself, also the one that the page was loaded with. */
export function boardData({ dataset }) {
  return { streamUrl: dataset.stream, serverTime: Number(dataset.now), next: Number(dataset.next) };
}
