// The server's clock, as well as a page can know it: the device's own may be an hour wrong.

const CLOCK_SAMPLES = 5;

/** The server's time. Each sample is late by its way here, so the largest of the latest few is the best. */
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
