// Ages, urgency and the clock, all on the server's time: the device's own may be an hour wrong.

import { timeFormat } from "./clock.js";

/**
 * `tickets` gives the elements of all tickets, also of those on other pages: they become late, too.
 * @param {{now: () => number, zone: string, language: string, tickets: () => HTMLElement[], onLate: () => void}} options
 */
export function startTimers({ now, zone, language, tickets, onLate }) {
  const clock = document.querySelector("[data-clock]");
  let urgencies = new Map(); // at the last tick
  const format = timeFormat(zone, language);

  function tick() {
    const time = now();
    if (clock) clock.textContent = format.format(time);
    const current = new Map();
    let late = false;
    for (const ticket of tickets()) {
      const timer = ticket.querySelector(".timer");
      const urgency = urgencyOf(timer.dataset, time);
      const text = age(time - Number(timer.dataset.came));
      const label = timer.querySelector("[data-age]");
      if (label.textContent !== text) label.textContent = text;
      if (timer.dataset.urgency !== urgency) setUrgency(timer, urgency);
      const key = ticket.dataset.order;
      // Only a ticket that was here before it was late: not all late ones again at each load.
      late ||= urgency === "late" && urgencies.has(key) && urgencies.get(key) !== "late";
      current.set(key, urgency);
    }
    urgencies = current;
    if (late) onLate();
  }

  tick();
  const loop = () => {
    tick();
    // On the full second, so that all timers of the wall step together.
    setTimeout(loop, 1000 - (now() % 1000) + 5);
  };
  loop();
  return { tick };
}

export function urgencyOf({ amber, due, done }, time) {
  if (done) return "done";
  if (time >= Number(due)) return "late";
  return time >= Number(amber) ? "soon" : "calm";
}

/** Minutes and seconds; hours from a hundred minutes on. */
export function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 6000) return `${Math.floor(minutes / 1440)}d`;
  if (minutes >= 100) return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

function setUrgency(timer, urgency) {
  timer.dataset.urgency = urgency;
  const icon = { late: "late", soon: "soon" }[urgency] ?? "clock";
  timer.parentElement.querySelector(".due use")?.setAttribute("href", `#i-${icon}`);
  const word = timer.querySelector("[data-word]");
  if (word) word.textContent = document.body.dataset[{ late: "wordLate", soon: "wordSoon" }[urgency]] ?? "";
}
