/**
 * Keeps a page equal to the server, and knows when it isn't.
 *
 * The stream brings hints ("something changed") and a beat each 2 s; the truth is always fetched, whole. What is shown
 * is confirmed by each board that arrives, and by each beat while no board is owed. States, as `onState` is told them:
 *   connecting  not confirmed yet; the board is the one that the page was loaded with
 *   live        the stream beats
 *   polling     no stream, or live can't hear web: the board is asked for each 2 s, and answers come
 *   stale       unconfirmed for 5 s, whatever the reason: what is shown may be wrong
 *
 *   const live = connect({
 *     streamUrl,             // address of the stream, token included
 *     serverTime,            // ms, when the page was rendered; optional
 *     next,                  // as in an answer, of the board that the page was loaded with
 *     fetchBoard({signal}),  // resolves to an answer; rejects when there is no good one
 *     onBoard(board),        // new content; not called for `board: null` (304: nothing new)
 *     // lastGood: server's time in ms of the last confirmation, or of the page; unconfirmed: ms since then
 *     onState({state, lastGood, unconfirmed}),
 *   });
 *   live.refresh()     fetch now, for instance after a refused action
 *   live.act(request)  sends an action; `request()` resolves to an answer, or to null where it brought no board
 *   live.now()         the server's clock, ms
 *   live.close()       also live.counts
 *
 * An answer is {board, serverTime, next?, moment?, streamUrl?, ended?}: `serverTime` in ms; `next` too, when time alone
 * changes the board; `moment` of the server's steady clock, from before the board was read; a new `streamUrl` (fresh
 * token) is for the next connection; `ended: true` (screen revoked) closes everything after showing the board.
 *
 * No older board is ever painted over a newer one: what was asked for after an answer had come is newer than that
 * answer. So one request is under way at a time; where two are in spite of that, the first answer counts, and
 * after the second one the board is asked for again.
 */

import { serverClock } from "./clock.js";
import { debts } from "./owed.js";
import { hintStream, jitter } from "./stream.js";

const TICK_MS = 200;
const STALE_MS = 4600; // looked at each tick; 5 s with all that delays it
const SLEPT_MS = 3000; // a pause between two ticks that only sleep explains
const POLL_MS = 2000;
const SAFETY_MS = 30000; // with a good stream, too: no chain of hints is trusted for ever
const PATIENCE_MS = 2500; // for an answer
const GAP_MS = 50; // between two fetches, however many hints come
const ACT_MS = 1000; // so long a fetch waits for the answer to an action
const SETUP_MS = 3500; // web keeps stations and brands for 3 s
const LATE_MS = 200; // after `next`, so that the server's clock has surely passed it
const AGAIN = new Error("Superseded: fetch again at once");

export function connect({ streamUrl, serverTime, next, fetchBoard, onBoard, onState }) {
  const clock = serverClock();
  const counts = { fetches: 0, failed: 0, hints: 0, setups: 0 }; // setups: still to be asked for

  let closed = false;
  let state = "connecting";
  let lastGood = serverTime ?? null;
  let known = false; // confirmed at least once
  let confirmedAt = performance.now(); // until the first confirmation: when we began

  // --- the stream
  const stream = hintStream({
    url: streamUrl,
    clock,
    onEvent(name, data) {
      if (name === "hello") demandNow(); // what was missed without the stream; a fetch from before may hang, or know less
      else if (name === "hint") hint(data);
      else if (stream.hearsValkey && !owed.any()) confirm();
      settle();
    },
    onLost(losses) {
      // The polls that follow bring a fresh token, too.
      if (losses === 1) demand();
      settle();
    },
  });

  function hint({ kind, moment }) {
    counts.hints += 1;
    demand(moment);
    if (kind !== "screens") return;
    counts.setups += 1;
    setTimeout(() => {
      counts.setups -= 1;
      demand();
    }, SETUP_MS);
  }

  // --- fetching: one at a time, at most one more owed
  const owed = debts();
  let fetching = null; // AbortController of the one under way
  let fetchedAt = -Infinity;
  let notBefore = 0;
  let shown = 0; // answers that were shown
  let acting = 0; // actions under way
  let actedAt = -Infinity;
  let nextTimer = 0;

  function demand(after) {
    owed.add(after);
    pump();
  }

  function demandNow() {
    notBefore = 0;
    owed.add();
    if (fetching) fetching.abort(AGAIN);
    else pump();
  }

  function demandAt(time) {
    clearTimeout(nextTimer);
    if (time) nextTimer = setTimeout(() => demand(), Math.min(Math.max(time - clock.now(), 0) + LATE_MS, 2 ** 30));
  }

  function pump() {
    if (closed || fetching || !owed.any()) return;
    // Its answer brings the board, most likely the very one that is owed.
    if (acting && performance.now() - actedAt < ACT_MS) return;
    const wait = Math.max(notBefore, fetchedAt + GAP_MS) - performance.now();
    if (wait <= 0) fetchOnce();
    else if (wait < TICK_MS) setTimeout(pump, wait); // a longer one ends with a tick
  }

  async function fetchOnce() {
    const control = new AbortController();
    const sent = sending();
    fetching = control;
    fetchedAt = performance.now();
    counts.fetches += 1;
    const limit = setTimeout(() => control.abort(new Error("No answer in time")), PATIENCE_MS);
    try {
      const answer = await orAbort(fetchBoard({ signal: control.signal }), control.signal);
      if (closed) return;
      receive(sent, answer);
      stream.hurry();
    } catch (error) {
      if (closed) return;
      if (error !== AGAIN) {
        counts.failed += 1;
        // Also where a poll, which nobody demanded, failed: from now on a board is owed.
        if (!owed.any()) owed.add();
        notBefore = fetchedAt + jitter(POLL_MS);
      }
    } finally {
      clearTimeout(limit);
      fetching = null;
    }
    settle();
    pump();
  }

  /** What a board that is asked for now will answer. */
  function sending() {
    return { owed: owed.now(), shown };
  }

  function receive(sent, answer) {
    if (answer.streamUrl) stream.url = answer.streamUrl;
    clock.sample(answer.serverTime);
    // Nobody knows which of the two is the newer one.
    if (shown !== sent.shown) return demand();
    show(answer);
    owed.settle(sent.owed, answer.moment);
    return confirm();
  }

  function show(answer) {
    shown += 1;
    demandAt(answer.next);
    // A fault in drawing must be seen in the console, and must not look like a fault of the network.
    if (answer.board != null) {
      try {
        onBoard(answer.board);
      } catch (error) {
        reportError(error);
        throw error;
      }
    }
    if (answer.ended) close();
  }

  // --- the state
  function confirm() {
    confirmedAt = performance.now();
    lastGood = clock.now();
    known = true;
  }

  function settle() {
    if (closed) return;
    let now;
    const unconfirmed = performance.now() - confirmedAt;
    if (unconfirmed > STALE_MS) now = "stale";
    else if (!known) now = "connecting";
    else now = stream.isGood ? "live" : "polling";
    if (now === state) return;
    state = now;
    onState({ state, lastGood, unconfirmed });
  }

  // --- the watchdog
  let ticked = { steady: performance.now(), wall: Date.now() };

  function tick() {
    const now = { steady: performance.now(), wall: Date.now() };
    const gap = now.steady - ticked.steady;
    // The steady clock may stand still while the device sleeps. (In a hidden page ticks are rare, and events come.)
    const slept = now.wall - ticked.wall - gap > SLEPT_MS || (gap > SLEPT_MS && now.steady - confirmedAt > SLEPT_MS);
    ticked = now;
    if (slept && document.visibilityState === "visible") distrust();
    else stream.tick();
    const due = stream.isGood ? SAFETY_MS : POLL_MS;
    if (!fetching && !owed.any() && now.steady - fetchedAt > due) demand();
    settle();
    pump();
  }

  function distrust() {
    clock.doubt();
    confirmedAt = Math.min(confirmedAt, performance.now() - STALE_MS - 1);
    settle();
    wake();
  }

  /** The page was taken out of the browser's memory of pages: what it shows is of then. */
  function returned(event) {
    if (event.persisted) distrust();
  }

  function seen() {
    if (document.visibilityState === "visible") tick();
  }

  /** The network or the device is back: don't wait for what was under way. */
  function wake() {
    stream.open();
    demandNow();
  }

  function close() {
    closed = true;
    clearInterval(timer);
    clearTimeout(nextTimer);
    window.removeEventListener("online", wake);
    window.removeEventListener("offline", demandNow);
    window.removeEventListener("pageshow", returned);
    document.removeEventListener("visibilitychange", seen);
    stream.close();
    if (fetching) fetching.abort();
  }

  const timer = setInterval(tick, TICK_MS);
  window.addEventListener("online", wake);
  // Not believed, because the server may be on this very machine: a fetch shows it, sooner than the beat.
  window.addEventListener("offline", demandNow);
  window.addEventListener("pageshow", returned);
  document.addEventListener("visibilitychange", seen); // ticks of a hidden page may be a minute apart
  clock.sample(serverTime);
  stream.open();
  demandAt(next);

  return {
    refresh: demandNow,
    async act(request) {
      const sent = sending();
      acting += 1;
      actedAt = performance.now();
      if (fetching) fetching.abort(AGAIN);
      try {
        const answer = await request();
        if (answer && !closed) receive(sent, answer);
      } finally {
        acting -= 1;
        settle();
        pump();
      }
    },
    now: clock.now,
    close,
    counts,
  };
}

/** The promise, or a rejection as soon as the signal says so, even if the promise never settles. */
function orAbort(promise, signal) {
  return Promise.race([
    promise,
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
  ]);
}
