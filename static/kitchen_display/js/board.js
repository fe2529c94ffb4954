// The wall's page: shows boards as the server renders them, and connects the other modules.

import { Actions } from "./actions.js";
import { Alarms, alarmsOf } from "./alarms.js";
import { timeFormat } from "./clock.js";
import { startKeys } from "./keys.js";
import { Grid } from "./layout.js";
import { connect } from "./live.js";
import { openPanels } from "./panels.js";
import { keepPaper } from "./paper.js";
import { forgetReload, reloadIfChanged } from "./reload.js";
import { boardData, parseBoard, requestBoard } from "./requests.js";
import { Sightings } from "./sightings.js";
import { Sounds } from "./sounds.js";
import { Tickets } from "./tickets.js";
import { startTimers, urgencyOf } from "./timers.js";
import { keepAwake } from "./wake.js";

const page = document.body.dataset;
const one = (selector) => document.querySelector(selector);
const words = {
  undo: page.wordUndo,
  done: page.wordDone,
  continued: page.wordContinued,
  continues: page.wordContinues,
  page: page.wordPage,
};
const BACK_TO_FIRST_PAGE = 30_000;

document.documentElement.style.setProperty("--text-scale", Number(page.textScale || 100) / 100);

// --- messages that go by themselves
const messages = one("[data-messages]");
function showMessage(text, isRefusal = false) {
  const message = document.createElement("p");
  message.className = isRefusal ? "message message--refusal" : "message";
  message.textContent = text;
  messages.replaceChildren(message);
  setTimeout(() => message.remove(), isRefusal ? 6000 : 3000);
}
const flashElement = one("[data-flash]");
function flash(name) {
  flashElement.className = `flash flash--${name}`;
  flashElement.hidden = false;
  setTimeout(() => { flashElement.hidden = true; }, 2400);
}

const sounds = new Sounds({
  enabled: { new: page.soundNew, cancelled: page.soundCancelled, amended: page.soundCancelled, late: page.soundLate },
  button: one("[data-unblock]"),
  flash,
});
const alarms = new Alarms(sounds);

// --- the grid and its pages
const gridElement = one("[data-tickets]");
const grid = new Grid(gridElement, {
  words,
  columns: Number(page.columns || 0),
  onPage: showPage,
});
const tickets = new Tickets(grid, { words, onNew: () => sounds.play("new"), onShow: () => showEmpty() });
const sightings = new Sightings(page.seen, token);
let turnedAt = 0;

function showPage({ page: number, pages, off }) {
  one("[data-pager]").hidden = pages < 2;
  one("[data-pages]").textContent = `${number + 1}/${pages}`;
  one('[data-turn="-1"]').disabled = number === 0;
  one('[data-turn="1"]').disabled = number === pages - 1;
  // Counted as the header counts: what is ready or cancelled is not late, what has left is not open.
  const open = off.filter((ticket) => !ticket.gone);
  const late = open.filter(({ element }) => urgencyOf(element.querySelector(".timer").dataset, clock()) === "late").length;
  const text = one("[data-off]");
  text.replaceChildren(strong(open.length), ` ${page.wordMore} `);
  const toSee = open.filter((ticket) => alarmsOf(ticket).length).length;
  for (const [count, word] of [[toSee, page.wordToSee], [late, page.wordLateCount]]) {
    if (!count) continue;
    const mark = document.createElement("span");
    mark.className = "late";
    mark.append(strong(count), ` ${word}`);
    text.append(mark, " ");
  }
}

/** "No open orders" is shown only while the server confirms it. */
function showEmpty() {
  one("[data-empty]").hidden = tickets.count > 0 || !["live", "polling"].includes(document.body.dataset.state);
}

function strong(number) {
  const element = document.createElement("b");
  element.textContent = number;
  return element;
}

function turn(pages) {
  grid.turn(pages);
  grid.past = []; // Who turns the page knows that the next touch meets other tickets.
  turnedAt = performance.now();
}

// A wall that was left on a later page would hide what is most urgent.
setInterval(() => {
  if (grid.page > 0 && performance.now() - turnedAt > BACK_TO_FIRST_PAGE) grid.turn(-grid.page);
}, 1000);

// --- boards
function token() {
  return one("[name=csrfmiddlewaretoken]")?.value ?? "";
}

const parse = (response) => parseBoard(response, "#wall");

async function fetchBoard({ signal }) {
  const shown = sightings.batch();
  const query = shown.length ? `?${new URLSearchParams(shown.map((key) => ["seen", key]))}` : "";
  const answer = await parse(await requestBoard(page.board + query, one("#wall"), signal));
  sightings.reported(shown);
  return answer;
}

let deferred = null; // a board that waits until nothing is touched
let pointerDown = 0;
const LONGEST_TOUCH = 3000; // then it is a cloth, or the finger's leaving was lost
function onBoard(fresh) {
  // Never under a finger: what is touched stays where it is until the finger is up.
  if (pointerDown && performance.now() - pointerDown < LONGEST_TOUCH) {
    deferred = fresh;
    return;
  }
  deferred = null;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const present = one(`[data-part="${part.dataset.part}"]`);
    if (present && present.innerHTML !== part.innerHTML) present.innerHTML = part.innerHTML;
  }
  // Changed in the admin or on another page of this screen.
  if (reloadIfChanged(fresh, one("#wall"))) return;
  showTickets(fresh, fresh.querySelectorAll("[data-tickets] > .ticket"));
  one("#wall").dataset.version = fresh.dataset.version; // last: only what is painted counts as shown
}

function showTickets(wall, elements) {
  tickets.update([...elements]);
  applyBrandColours(document.querySelector(".later__list"));
  alarms.update(tickets.keys().map((key) => tickets.get(key)));
  sightings.add([...document.querySelectorAll(".later__one[data-order]")].map((element) => element.dataset.order));
  sightings.add(tickets.keys());
  timers?.tick();
  document.dispatchEvent(new CustomEvent("huuva:board", { detail: { version: wall.dataset.version } }));
}

/** Brand colours by CSSOM: the content security policy allows no style attributes. */
function applyBrandColours(scope) {
  for (const element of scope?.querySelectorAll("[data-brand-colour]") ?? []) {
    element.style.setProperty("--brand", element.dataset.brandColour);
  }
}

function showDeferred() {
  if (deferred) onBoard(deferred);
}
document.addEventListener("pointerdown", () => {
  pointerDown = performance.now();
  setTimeout(showDeferred, LONGEST_TOUCH + 20);
}, { passive: true, capture: true });
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, () => {
    pointerDown = 0;
    setTimeout(showDeferred, 50); // after the click that follows, which must meet the ticket that was touched
  }, { passive: true, capture: true });
}

// --- live
let live = null;
let timers = null;
const times = timeFormat(page.zone, document.documentElement.lang, { second: "2-digit" });
const clock = () => (live ? live.now() : Number(one("#wall").dataset.now));

function onState({ state, lastGood, unconfirmed }) {
  const mark = one("[data-live]");
  mark.dataset.state = state;
  one("[data-live-word]").textContent = { live: page.wordLive, polling: page.wordPolling, stale: page.wordStale }[state] ?? page.wordConnecting;
  document.body.dataset.state = state;
  one("[data-stale]").hidden = state !== "stale";
  if (state === "stale") one("[data-stale-at]").textContent = times.format(lastGood);
  showEmpty();
  document.dispatchEvent(new CustomEvent("huuva:state", { detail: { state, unconfirmed } }));
}

const first = one("#wall");
live = connect({ ...boardData(first), fetchBoard, onBoard, onState });
timers = startTimers({
  now: clock,
  zone: page.zone,
  language: document.documentElement.lang,
  tickets: () => tickets.elements(),
  onLate: () => sounds.play("late"),
});
showTickets(first, gridElement.querySelectorAll(":scope > .ticket"));

const actions = new Actions({ page, token, live, parse, tickets, showMessage });
const panels = openPanels({ page, actions, showMessage, sounds });
startKeys({ grid, tickets, actions, panels, turn, showMessage, page });
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-turn]");
  if (button) turn(Number(button.dataset.turn));
});
keepAwake({ from: page.awakeFrom, to: page.awakeTo, zone: page.zone, now: clock });
keepPaper({ worker: page.worker, paper: page.paper });
forgetReload(first);
// For tests and for debugging in the console.
window.huuva = { live, grid, tickets };
