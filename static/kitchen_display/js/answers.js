// Boards over HTTP: asked for by the version that is painted, read into the form that live.js takes.

/** Asks for a board. Named is what is painted, not what came: an answer that was lost on the way must come again. */
export function askForBoard(url, painted, signal) {
  const headers = { "X-Requested-With": "fetch", "If-None-Match": `"${painted.dataset.version}"` };
  return fetch(url, { headers, signal, cache: "no-store" });
}

/** An answer of live.js; `selector` finds the board in it. Rejects when there is no good one. */
export async function readBoard(response, selector) {
  const { headers, status } = response;
  const serverTime = Number(headers.get("X-Server-Time")) || undefined;
  const moment = headers.get("X-Board-Moment");
  if (status === 304) {
    return { board: null, serverTime, moment, next: Number(headers.get("X-Board-Next")), streamUrl: headers.get("X-Stream-Url") };
  }
  if (status === 403) {
    location.reload(); // The server says in full why this screen shows nothing any more.
    return { board: null, ended: true };
  }
  if (!response.ok) throw new Error(`The board answered ${status}`);
  const sheet = document.createElement("template");
  sheet.innerHTML = await response.text();
  const board = sheet.content.querySelector(selector);
  if (!board) throw new Error("The answer holds no board");
  return { moment, ...ofBoard(board), board };
}

/** What the board itself says, also the one that the page was loaded with. */
export function ofBoard({ dataset }) {
  return { streamUrl: dataset.stream, serverTime: Number(dataset.now), next: Number(dataset.next) };
}
