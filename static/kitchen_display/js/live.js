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
 *     fetchBoard({signal}),  // resolves to an answer; rejects when there is no good one
 *     onBoard(board),        // new content; not called for `board: null` (304: nothing new)
 *     // lastGood: server's time in ms of the last confirmation, or of the page; unconfirmed: ms since then
 *     onState({state, lastGood, unconfirmed}),
 *   });
 *   live.refresh()     fetch now, for instance after a refused action
 *   live.look()        fetch soon: time alone has changed the board
 *   live.act(request)  sends an action; `request()` resolves to an answer, or to null where it brought no board
 *   live.now()         the server's clock, ms
 *   live.close()       also live.state, live.lastGood, live.counts
 *
 * An answer is {board, serverTime, moment?, streamUrl?, ended?}: `serverTime` in ms; `moment` of the server's steady
 * clock, from before the board was read; a new `streamUrl` (fresh token) is for the next connection; `ended: true`
 * (screen revoked) closes everything after showing the board.
 *
 * No older board is ever painted over a newer one: what was asked for after an answer had come is newer than that
 * answer. So one request is under way at a time; where two are in spite of that, the first answer counts, and
 * after the second one the board is asked for again.
 */

import { serverClock } from "./clock.js";

const TICK_MS = 200;
const QUIET_MS = 3000; // without a beat (each 2 s) for so long, polling begins
const STALE_MS = 4600; // looked at each tick; 5 s with all that delays it
const POLL_MS = 2000;
const SAFETY_MS = 30000; // with a good stream, too: no chain of hints is trusted for ever
const PATIENCE_MS = 2500; // for an answer, and for a new connection's hello: back within 3 s of the network's return
const GAP_MS = 50; // between two fetches, however many hints come
const ACT_MS = 1000; // so long a fetch waits for the answer to an action
const SETUP_MS = 3500; // web keeps stations and brands for 3 s
const AGAIN = new Error("Superseded: fetch again at once");

export function connect({ streamUrl, serverTime, fetchBoard, onBoard, onState }) {
  const clock = serverClock();
  const counts = { fetches: 0, failed: 0, hints: 0, setups: 0, beats: 0, connections: 0 }; // setups: still to be asked for
  const jitter = (ms) => ms * (0.85 + Math.random() * 0.3);

  let closed = false;
  let state = "connecting";
  let lastGood = serverTime ?? null;
  let known = false; // confirmed at least once
  let confirmedAt = performance.now(); // until the first confirmation: when we began

  // --- the stream
  let source = null;
  let heard = false; // this connection said hello
  let hearsValkey = true;
  let openedAt = 0;
  let lastEvent = 0;
  let losses = 0;
  let reopenAt = 0;

  const streamIsGood = () => heard && hearsValkey && performance.now() - lastEvent < QUIET_MS;

  function open() {
    hangUp();
    openedAt = performance.now();
    counts.connections += 1;
    const mine = new EventSource(streamUrl);
    source = mine;
    for (const [name, act] of Object.entries({ hello, beat, hint })) {
      mine.addEventListener(name, (event) => {
        if (mine !== source) return;
        const data = JSON.parse(event.data);
        if (name === "beat" && isOld(data)) return;
        lastEvent = performance.now();
        act(data);
        settle();
      });
    }
    mine.onerror = () => {
      if (mine === source) lost();
    };
  }

  function hello(data) {
    heard = true;
    losses = 0;
    moment(data);
    demandNow(); // what was missed without the stream; a fetch from before may hang, or know less
  }

  function beat(data) {
    counts.beats += 1;
    moment(data);
    if (hearsValkey && !owed()) confirm();
  }

  function hint({ kind, moment: after }) {
    counts.hints += 1;
    demand(after);
    if (kind === "screens") askForSetup();
  }

  function askForSetup() {
    counts.setups += 1;
    setTimeout(() => {
      counts.setups -= 1;
      demand();
    }, SETUP_MS);
  }

  function moment({ now, valkey }) {
    clock.sample(now);
    hearsValkey = valkey !== false;
  }

  /** What waited in the network for seconds says nothing of now; were it believed, it would hide that it waited. */
  const isOld = ({ now }) => clock.now() - now > QUIET_MS;

  function hangUp() {
    if (source) source.close();
    source = null;
    heard = false;
  }

  function lost() {
    hangUp();
    losses += 1;
    // Spread out: after a restart of the server all walls come back.
    reopenAt = performance.now() + jitter(Math.min(1200, 300 * losses));
    // The polls that follow bring a fresh token, too.
    if (losses === 1) demand();
    settle();
  }

  // --- fetching: one at a time, at most one more owed
  let demanded = 0; // reasons to fetch so far, and how many of them a board has answered
  let answered = 0;
  const awaited = new Map(); // by the server's clock: the moment after which a board must be read, for hints that name one
  let fetching = null; // AbortController of the one under way
  let fetchedAt = -Infinity;
  let notBefore = 0;
  let shown = 0; // answers that were shown
  let acting = 0; // actions under way
  let actedAt = -Infinity;

  const owed = () => answered < demanded || awaited.size > 0;

  function demand(after) {
    const [of, at] = momentOf(after);
    if (of) awaited.set(of, Math.max(at, awaited.get(of) ?? 0));
    else demanded += 1;
    pump();
  }

  function demandNow() {
    notBefore = 0;
    demanded += 1;
    if (fetching) fetching.abort(AGAIN);
    else pump();
  }

  function pump() {
    if (closed || fetching || !owed()) return;
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
      if (!source) reopenAt = 0; // the network is there
    } catch (error) {
      if (closed) return;
      if (error !== AGAIN) {
        counts.failed += 1;
        // Also where a poll, which nobody demanded, failed: from now on a board is owed.
        if (!owed()) demanded += 1;
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
    return { upTo: demanded, awaited: new Map(awaited), shown };
  }

  function receive(sent, answer) {
    if (answer.streamUrl) streamUrl = answer.streamUrl;
    clock.sample(answer.serverTime);
    // Nobody knows which of the two is the newer one.
    if (shown !== sent.shown) return demand();
    show(answer);
    answered = Math.max(answered, sent.upTo);
    const [of, at] = momentOf(answer.moment);
    for (const [name, wanted] of awaited) {
      if (sent.awaited.get(name) === wanted || (name === of && wanted <= at)) awaited.delete(name);
    }
    return confirm();
  }

  function show(answer) {
    shown += 1;
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
    let next;
    const unconfirmed = performance.now() - confirmedAt;
    if (unconfirmed > STALE_MS) next = "stale";
    else if (!known) next = "connecting";
    else next = streamIsGood() ? "live" : "polling";
    if (next === state) return;
    state = next;
    onState({ state, lastGood, unconfirmed });
  }

  // --- the watchdog
  let ticked = { steady: performance.now(), wall: Date.now() };

  function tick() {
    const now = { steady: performance.now(), wall: Date.now() };
    const gap = now.steady - ticked.steady;
    // The steady clock may stand still while the device sleeps. (In a hidden page ticks are rare, and events come.)
    const slept = now.wall - ticked.wall - gap > QUIET_MS || (gap > QUIET_MS && now.steady - confirmedAt > QUIET_MS);
    ticked = now;
    if (slept && document.visibilityState === "visible") {
      distrust();
    } else if (!source) {
      if (now.steady >= reopenAt) open();
    } else if (heard ? now.steady - lastEvent > STALE_MS : now.steady - openedAt > PATIENCE_MS) {
      lost();
    }
    const due = streamIsGood() ? SAFETY_MS : POLL_MS;
    if (!fetching && !owed() && now.steady - fetchedAt > due) demand();
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
    open();
    demandNow();
  }

  function close() {
    closed = true;
    clearInterval(timer);
    window.removeEventListener("online", wake);
    window.removeEventListener("offline", demandNow);
    window.removeEventListener("pageshow", returned);
    document.removeEventListener("visibilitychange", seen);
    hangUp();
    if (fetching) fetching.abort();
  }

  const timer = setInterval(tick, TICK_MS);
  window.addEventListener("online", wake);
  // Not believed, because the server may be on this very machine: a fetch shows it, sooner than the beat.
  window.addEventListener("offline", demandNow);
  window.addEventListener("pageshow", returned);
  document.addEventListener("visibilitychange", seen); // ticks of a hidden page may be a minute apart
  clock.sample(serverTime);
  open();

  return {
    refresh: demandNow,
    look: () => demand(),
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
    get state() { return state; },
    get lastGood() { return lastGood; },
  };
}

/** The promise, or a rejection as soon as the signal says so, even if the promise never settles. */
function orAbort(promise, signal) {
  return Promise.race([
    promise,
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
  ]);
}

/** The clock and the time of `clock.microseconds`; an empty clock for anything else. */
function momentOf(text) {
  const found = /^([0-9a-f]+)\.([0-9]+)$/.exec(text ?? "");
  return found ? [found[1], Number(found[2])] : ["", 0];
}
