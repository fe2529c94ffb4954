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
 *     onState({state, lastGood}),  // lastGood: server's time in ms of the last confirmation, or null
 *   });
 *   live.refresh()     fetch now, for instance after a refused action
 *   live.take(answer)  a board that came otherwise: the answer to a bump
 *   live.now()         the server's clock, ms
 *   live.close()       also live.state, live.lastGood, live.counts
 *
 * An answer is {board, serverTime, streamUrl?, ended?}: `serverTime` in ms, read just before the board; a new `streamUrl`
 * (fresh token) is for the next connection; `ended: true` (screen revoked) closes everything after showing the board.
 */

const TICK_MS = 200;
const QUIET_MS = 3000; // without a beat (each 2 s) for so long, polling begins
const STALE_MS = 4800; // with a tick it is 5 s
const POLL_MS = 2000;
const SAFETY_MS = 30000; // with a good stream, too: no chain of hints is trusted for ever
const PATIENCE_MS = 2500; // for an answer, and for a new connection's hello: back within 3 s of the network's return
const GAP_MS = 50; // between two fetches, however many hints come
const CLOCK_SAMPLES = 5;
const AGAIN = new Error("Superseded: fetch again at once");

/** The server's time. Each sample is late by its way here, so the largest of the latest few is the best. */
function serverClock() {
  let samples = [];
  let doubted = false;
  return {
    sample(serverMs) {
      if (!Number.isFinite(serverMs)) return;
      if (doubted) samples = [];
      doubted = false;
      samples = [...samples, serverMs - performance.now()].slice(-CLOCK_SAMPLES);
    },
    /** The device slept, and its own clock perhaps with it: the next sample counts alone. */
    doubt() {
      doubted = true;
    },
    now: () => (samples.length ? performance.now() + Math.max(...samples) : Date.now()),
  };
}

export function connect({ streamUrl, serverTime, fetchBoard, onBoard, onState }) {
  const clock = serverClock();
  const counts = { fetches: 0, failed: 0, hints: 0, beats: 0, connections: 0 };
  const jitter = (ms) => ms * (0.85 + Math.random() * 0.3);

  let closed = false;
  let state = "connecting";
  let lastGood = null;
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
        lastEvent = performance.now();
        act(JSON.parse(event.data));
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

  function hint() {
    counts.hints += 1;
    demand();
  }

  function moment({ now, valkey }) {
    clock.sample(now);
    hearsValkey = valkey !== false;
  }

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
  let fetching = null; // AbortController of the one under way
  let fetchedAt = -Infinity;
  let notBefore = 0;
  let shownTime = -Infinity; // serverTime of what is shown
  let taken = 0;

  const owed = () => answered < demanded;

  function demand() {
    demanded += 1;
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
    const wait = Math.max(notBefore, fetchedAt + GAP_MS) - performance.now();
    if (wait <= 0) fetchOnce();
    else if (wait < TICK_MS) setTimeout(pump, wait); // a longer one ends with a tick
  }

  async function fetchOnce() {
    const control = new AbortController();
    const upTo = demanded;
    const takenBefore = taken;
    fetching = control;
    fetchedAt = performance.now();
    counts.fetches += 1;
    const limit = setTimeout(() => control.abort(new Error("No answer in time")), PATIENCE_MS);
    try {
      const answer = await orAbort(fetchBoard({ signal: control.signal }), control.signal);
      if (closed) return;
      // A board that was taken meanwhile may be newer than this one. Then ask once more instead.
      if (taken === takenBefore || !(answer.serverTime < shownTime)) {
        show(answer);
        answered = upTo;
        confirm();
      }
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

  function show(answer) {
    if (answer.streamUrl) streamUrl = answer.streamUrl;
    clock.sample(answer.serverTime);
    shownTime = answer.serverTime ?? shownTime;
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
  }

  function settle() {
    if (closed) return;
    let next;
    if (performance.now() - confirmedAt > STALE_MS) next = "stale";
    else if (lastGood === null) next = "connecting";
    else next = streamIsGood() ? "live" : "polling";
    if (next === state) return;
    state = next;
    onState({ state, lastGood });
  }

  // --- the watchdog
  let ticked = { steady: performance.now(), wall: Date.now() };

  function tick() {
    const now = { steady: performance.now(), wall: Date.now() };
    const slept = Math.max(now.steady - ticked.steady, now.wall - ticked.wall) > QUIET_MS;
    ticked = now;
    if (slept && document.visibilityState === "visible") {
      clock.doubt();
      confirmedAt = Math.min(confirmedAt, now.steady - STALE_MS - 1);
      wake();
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
    hangUp();
    if (fetching) fetching.abort();
  }

  const timer = setInterval(tick, TICK_MS);
  window.addEventListener("online", wake);
  // Not believed, because the server may be on this very machine: a fetch shows it, sooner than the beat.
  window.addEventListener("offline", demandNow);
  clock.sample(serverTime);
  shownTime = serverTime ?? shownTime;
  open();

  return {
    refresh: demandNow,
    take(answer) {
      if (closed) return;
      taken += 1;
      if (answer.serverTime < shownTime) demand();
      else show(answer);
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
