// The connection to live: hints ("something changed"), a beat each 2 s, and whether it is good.

const QUIET_MS = 3000; // without a beat for so long it isn't good
const LOST_MS = 4600; // and then it is given up
const HELLO_MS = 2500; // so long a new connection has for its hello: back within 3 s of the network's return
// A connection ends with its token, after LIFETIME_SECONDS of core/stream_tokens.py: the next one takes over well before.
const RENEW_MS = 120000;
const RETRY_MS = 10000;

/**
 * `onEvent(name, data)` is called with hello, beat and hint; `onLost(losses)` when the connection is lost, with how many
 * were lost one after the other. A while later `tick` opens it again.
 */
export function hintStream({ url, clock, onEvent, onLost }) {
  let source = null;
  let next = null; // takes over with its hello
  let nextSince = 0;
  let renewAt = 0;
  let greeted = false; // this connection said hello
  let openedAt = 0;
  let lastEvent = 0;
  let losses = 0;
  let reopenAt = 0;

  const stream = {
    url, // for the next connection
    hearsValkey: true, // as live reports; without it no hints come

    get isGood() {
      return greeted && stream.hearsValkey && performance.now() - lastEvent < QUIET_MS;
    },

    open() {
      stream.close();
      openedAt = performance.now();
      source = connect();
    },

    /** Gives up a silent connection, and connects again when it is time. */
    tick() {
      const now = performance.now();
      if (!source) {
        if (now >= reopenAt) stream.open();
      } else if (greeted ? now - lastEvent > LOST_MS : now - openedAt > HELLO_MS) {
        lost();
      } else if (next) {
        if (now - nextSince > HELLO_MS) dropNext();
      } else if (greeted && now >= renewAt) {
        nextSince = now;
        next = connect();
      }
    },

    /** The network is there: the next tick may connect. */
    hurry() {
      if (!source) reopenAt = 0;
    },

    close() {
      source?.close();
      next?.close();
      source = next = null;
      greeted = false;
    },
  };

  function connect() {
    const connection = new EventSource(stream.url);
    for (const name of ["hello", "beat", "hint"]) {
      connection.addEventListener(name, (event) => {
        if (connection === source) receive(name, JSON.parse(event.data));
        else if (connection === next) takeOver(JSON.parse(event.data));
      });
    }
    connection.onerror = () => {
      if (connection === source) lost();
      else if (connection === next) dropNext();
    };
    return connection;
  }

  /** Nothing was missed in between, so its hello is no more than a beat. */
  function takeOver(data) {
    source.close();
    source = next;
    next = null;
    renewAt = performance.now() + jitter(RENEW_MS);
    receive("beat", data);
  }

  function dropNext() {
    next.close();
    next = null;
    renewAt = performance.now() + jitter(RETRY_MS);
  }

  function receive(name, data) {
    if (name === "beat" && isOld(data)) return;
    lastEvent = performance.now();
    if (name === "hello") {
      greeted = true;
      losses = 0;
      renewAt = lastEvent + jitter(RENEW_MS);
    }
    if (name !== "hint") {
      clock.sample(data.now);
      stream.hearsValkey = data.valkey !== false;
    }
    onEvent(name, data);
  }

  /** A beat that was delayed for seconds says nothing of now, and would hide the delay. */
  const isOld = ({ now }) => clock.now() - now > QUIET_MS;

  function lost() {
    stream.close();
    losses += 1;
    // Spread out: after a restart of the server all walls come back.
    reopenAt = performance.now() + jitter(Math.min(1200, 300 * losses));
    onLost(losses);
  }

  return stream;
}

export function jitter(ms) {
  return ms * (0.85 + Math.random() * 0.3);
}
