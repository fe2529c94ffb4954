// Pending refreshes: the reasons to fetch a board that no board has answered yet.

export function pendingRefreshes() {
  let requested = 0; // reasons without a stamp so far, and how many of them a board has answered
  let answered = 0;
  const stamps = new Map(); // clock → the stamp after which a board must be read, for hints that name one

  return {
    /** A reason to fetch; `stamp` is the server's, if the hint names one. */
    add(stamp) {
      const [clock, time] = parseStamp(stamp);
      if (clock) stamps.set(clock, Math.max(time, stamps.get(clock) ?? 0));
      else requested += 1;
    },

    any: () => answered < requested || stamps.size > 0,

    /** What a board that is asked for now will answer. */
    snapshot: () => ({ requested, stamps: new Map(stamps) }),

    /** A board has come that was asked for at `snapshot`, and was read after `stamp`. */
    settle(snapshot, stamp) {
      answered = Math.max(answered, snapshot.requested);
      const [clock, time] = parseStamp(stamp);
      for (const [name, wanted] of stamps) {
        if (snapshot.stamps.get(name) === wanted || (name === clock && wanted <= time)) stamps.delete(name);
      }
    },
  };
}

/** The clock and the time of `clock.microseconds`; an empty clock for anything else. */
function parseStamp(text) {
  const match = /^([0-9a-f]+)\.([0-9]+)$/.exec(text ?? "");
  return match ? [match[1], Number(match[2])] : ["", 0];
}
