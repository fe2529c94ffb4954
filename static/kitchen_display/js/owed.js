// What a page owes its watchers: the reasons to ask for the board that no board has answered yet.

export function debts() {
  let demanded = 0; // reasons that name no moment so far, and how many of them a board has answered
  let answered = 0;
  const awaited = new Map(); // by the server's clock: the moment after which a board must be read, for hints that name one

  return {
    /** A reason to ask; `after` is the moment that a hint names, if it names one. */
    add(after) {
      const [of, at] = momentOf(after);
      if (of) awaited.set(of, Math.max(at, awaited.get(of) ?? 0));
      else demanded += 1;
    },

    any: () => answered < demanded || awaited.size > 0,

    /** What a board that is asked for now will answer. */
    now: () => ({ demanded, awaited: new Map(awaited) }),

    /** A board has come that was asked for when `sent` was owed, and was read after `moment`. */
    settle(sent, moment) {
      answered = Math.max(answered, sent.demanded);
      const [of, at] = momentOf(moment);
      for (const [name, wanted] of awaited) {
        if (sent.awaited.get(name) === wanted || (name === of && wanted <= at)) awaited.delete(name);
      }
    },
  };
}

/** The clock and the time of `clock.microseconds`; an empty clock for anything else. */
function momentOf(text) {
  const found = /^([0-9a-f]+)\.([0-9]+)$/.exec(text ?? "");
  return found ? [found[1], Number(found[2])] : ["", 0];
}
