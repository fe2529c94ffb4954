/**
 * Keeps a page equal to the server, and knows when it isn't.
 *
 * The stream brings hints ("something changed") and a beat each 2 s; the board is always fetched, whole. What is shown is
 * confirmed by each board that arrives, and by each beat while no refresh is pending. The states given to `onState`:
 *   connecting  not confirmed yet; the board is the one that the page was loaded with
 *   live        the stream beats
 *   polling     no stream, or live can't hear web: the board is fetched each 2 s, and answers come
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
 * An answer is {board, serverTime, next?, stamp?, streamUrl?, ended?}: `serverTime` in ms; `next` too, when time alone
 * changes the board; `stamp` of the server's monotonic clock, from before the board was read; a new `streamUrl` (fresh
 * token) is for the next connection; `ended: true` (screen revoked) closes everything after showing the board.
 *
 * No older board is ever painted over a newer one: what was requested after an answer had arrived is newer than that
 * answer. So one request is under way at a time. Where two are all the same, the first answer counts, and after the
 * second one the board is fetched again.
 */

import { serverClock } from "./clock.js";
import { pendingRefreshes } from "./pending.js";
import { hintStream, jitter } from "./stream.js";

const TICK_MS = 200;
const STALE_MS = 4600; // checked at each tick; 5 s with all that delays it
const SLEPT_MS = 3000; // a pause between two ticks that only sleep explains
const POLL_MS = 2000;
const SAFETY_MS = 30000; // between fetches with a good stream, too: a hint may be lost
const ANSWER_MS = 2500; // so long an answer may take
const GAP_MS = 50; // between two fetches, however many hints come
const ACT_MS = 1000; // so long a fetch waits for the answer to an action
const SETUP_MS = 3500; // web caches stations and brands for 3 s
const LATE_MS = 200; // after `next`, so that the server's clock has surely passed it
const SUPERSEDED = new Error("Superseded: fetch again at once");

export function connect({ streamUrl, serverTime, next, fetchBoard, onBoard, onState }) {
  const clock = serverClock();
  const counts = { fetches: 0, failed: 0, hints: 0, setups: 0 }; // setups: fetches still to come after changes of the set-up

  let closed = false;
  let state = "connecting";
  let lastGood = serverTime ?? null;
  let everConfirmed = false;
  let confirmedAt = performance.now(); // until the first confirmation: when we began

  // --- the stream
  const stream = hintStream({
    url: streamUrl,
    clock,
    onEvent(name, data) {
      if (name === "hello") refreshNow(); // for what was missed without the stream; an earlier fetch may hang, or be older
      else if (name === "hint") hint(data);
      else if (stream.hearsValkey && !pending.any()) confirm();
      settle();
    },
    onLost(losses) {
      // The polls that follow bring a fresh token, too.
      if (losses === 1) refresh();
      settle();
    },
  });

  function hint({ kind, moment: stamp }) {
    counts.hints += 1;
    refresh(stamp);
    if (kind !== "screens") return;
    counts.setups += 1;
    setTimeout(() => {
      counts.setups -= 1;
      refresh();
    }, SETUP_MS);
  }

  // --- fetching: one at a time, at most one more pending
  const pending = pendingRefreshes();
  let fetching = null; // AbortController of the one under way
  let fetchedAt = -Infinity;
  let notBefore = 0;
  let shown = 0; // how many answers were shown
  let acting = 0; // actions under way
  let actedAt = -Infinity;
  let nextTimer = 0;

  function refresh(stamp) {
    pending.add(stamp);
    fetchIfDue();
  }

  function refreshNow() {
    notBefore = 0;
    pending.add();
    if (fetching) fetching.abort(SUPERSEDED);
    else fetchIfDue();
  }

  function refreshAt(time) {
    clearTimeout(nextTimer);
    if (time) nextTimer = setTimeout(() => refresh(), Math.min(Math.max(time - clock.now(), 0) + LATE_MS, 2 ** 30));
  }

  function fetchIfDue() {
    if (closed || fetching || !pending.any()) return;
    // The action's answer brings a board, most likely the very one that is wanted.
    if (acting && performance.now() - actedAt < ACT_MS) return;
    const wait = Math.max(notBefore, fetchedAt + GAP_MS) - performance.now();
    if (wait <= 0) fetchOnce();
    else if (wait < TICK_MS) setTimeout(fetchIfDue, wait); // a longer one ends with a tick
  }

  async function fetchOnce() {
    const control = new AbortController();
    const asked = snapshot();
    fetching = control;
    fetchedAt = performance.now();
    counts.fetches += 1;
    const limit = setTimeout(() => control.abort(new Error("No answer in time")), ANSWER_MS);
    try {
      const answer = await orAbort(fetchBoard({ signal: control.signal }), control.signal);
      if (closed) return;
      receive(asked, answer);
      stream.hurry();
    } catch (error) {
      if (closed) return;
      if (error !== SUPERSEDED) {
        counts.failed += 1;
        // For a poll nothing was pending: once it has failed, a refresh is.
        if (!pending.any()) pending.add();
        notBefore = fetchedAt + jitter(POLL_MS);
      }
    } finally {
      clearTimeout(limit);
      fetching = null;
    }
    settle();
    fetchIfDue();
  }

  /** What a board that is requested now will answer. */
  function snapshot() {
    return { pending: pending.snapshot(), shown };
  }

  function receive(asked, answer) {
    if (answer.streamUrl) stream.url = answer.streamUrl;
    clock.sample(answer.serverTime);
    // Nobody knows which of the two is the newer one.
    if (shown !== asked.shown) return refresh();
    show(answer);
    pending.settle(asked.pending, answer.stamp);
    return confirm();
  }

  function show(answer) {
    shown += 1;
    refreshAt(answer.next);
    // An error in rendering must be seen in the console, and must not look like an error of the network.
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
    everConfirmed = true;
  }

  function settle() {
    if (closed) return;
    let now;
    const unconfirmed = performance.now() - confirmedAt;
    if (unconfirmed > STALE_MS) now = "stale";
    else if (!everConfirmed) now = "connecting";
    else now = stream.isGood ? "live" : "polling";
    if (now === state) return;
    state = now;
    onState({ state, lastGood, unconfirmed });
  }

  // --- the watchdog
  let lastTick = { steady: performance.now(), wall: Date.now() };

  function tick() {
    const now = { steady: performance.now(), wall: Date.now() };
    const gap = now.steady - lastTick.steady;
    // The steady clock may stand still while the device sleeps. (In a hidden page ticks are rare, and events come.)
    const slept = now.wall - lastTick.wall - gap > SLEPT_MS || (gap > SLEPT_MS && now.steady - confirmedAt > SLEPT_MS);
    lastTick = now;
    if (slept && document.visibilityState === "visible") distrust();
    else stream.tick();
    const due = stream.isGood ? SAFETY_MS : POLL_MS;
    if (!fetching && !pending.any() && now.steady - fetchedAt > due) refresh();
    settle();
    fetchIfDue();
  }

  function distrust() {
    clock.doubt();
    confirmedAt = Math.min(confirmedAt, performance.now() - STALE_MS - 1);
    settle();
    wake();
  }

  /** The browser restored the page from its cache (after Back): what it shows is old. */
  function onPageShow(event) {
    if (event.persisted) distrust();
  }

  function onVisible() {
    if (document.visibilityState === "visible") tick();
  }

  /** The network or the device is back: don't wait for what was under way. */
  function wake() {
    stream.open();
    refreshNow();
  }

  function close() {
    closed = true;
    clearInterval(timer);
    clearTimeout(nextTimer);
    window.removeEventListener("online", wake);
    window.removeEventListener("offline", refreshNow);
    window.removeEventListener("pageshow", onPageShow);
    document.removeEventListener("visibilitychange", onVisible);
    stream.close();
    if (fetching) fetching.abort();
  }

  const timer = setInterval(tick, TICK_MS);
  window.addEventListener("online", wake);
  // Only a reason to check, as the server may be on this very machine: a fetch shows it, sooner than the beat.
  window.addEventListener("offline", refreshNow);
  window.addEventListener("pageshow", onPageShow);
  document.addEventListener("visibilitychange", onVisible); // ticks of a hidden page may be a minute apart
  clock.sample(serverTime);
  stream.open();
  refreshAt(next);

  return {
    refresh: refreshNow,
    async act(request) {
      const asked = snapshot();
      acting += 1;
      actedAt = performance.now();
      if (fetching) fetching.abort(SUPERSEDED);
      try {
        const answer = await request();
        if (answer && !closed) receive(asked, answer);
      } finally {
        acting -= 1;
        settle();
        fetchIfDue();
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
