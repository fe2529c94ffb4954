// Keeps the screen on within its hours. They are the kitchen's hours, so they go by the server's clock and zone.

import { timeFormat } from "./clock.js";

/** @param {{from: string, to: string, zone: string, now: () => number}} options  times as HH:MM; equal or empty: always */
export function keepAwake({ from, to, zone, now }) {
  if (!("wakeLock" in navigator)) return;
  const times = timeFormat(zone, "en-GB");
  let lock = null;

  async function check() {
    const wanted = document.visibilityState === "visible" && within(from, to, times.format(now()));
    if (wanted && !lock) {
      try {
        lock = await navigator.wakeLock.request("screen");
        lock.addEventListener("release", () => { lock = null; });
      } catch (error) {
        // Low battery or a policy: the wall works all the same, it may only go dark.
        console.info("The screen can't be kept on:", error.message);
      }
    } else if (!wanted && lock) {
      await lock.release();
    }
  }

  document.addEventListener("visibilitychange", check);
  setInterval(check, 30_000);
  check();
}

export function within(from, to, time) {
  if (!from || !to || from === to) return true;
  return from < to ? time >= from && time < to : time >= from || time < to;
}
