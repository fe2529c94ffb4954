// The server's clock, as well as a page can know it (the device's own may be an hour wrong), and the format of times.

const CLOCK_SAMPLES = 5;

/** The server's time. Each sample is late by its time on the way, so the largest of the latest few is the best. */
export function serverClock() {
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

/** Formats times (ms) as times of day in the zone: 07:05, with `second: "2-digit"` 07:05:09. */
export function timeFormat(zone, language, more = {}) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone, ...more });
}
