// The wall: takes in boards as the server renders them and brings the other modules together.

import { Actions } from "./actions.js";
import { Alarms, alarmsOf } from "./alarms.js";
import { loaded, loadsAnew } from "./anew.js";
import { askForBoard, ofBoard, readBoard } from "./answers.js";
import { timeFormat } from "./clock.js";
import { startKeys } from "./keys.js";
import { Grid } from "./layout.js";
import { connect } from "./live.js";
import { openPanels } from "./panels.js";
import { keepPaper } from "./paper.js";
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

// --- what is said in passing
const said = one("[data-said]");
function say(text, refused = false) {
  const line = document.createElement("p");
  line.className = refused ? "said__one said__one--refused" : "said__one";
  line.textContent = text;
  said.replaceChildren(line);
  setTimeout(() => line.remove(), refused ? 6000 : 3000);
}
const flashing = one("[data-flash]");
function flash(name) {
  flashing.className = `flash flash--${name}`;
  flashing.hidden = false;
  setTimeout(() => { flashing.hidden = true; }, 2400);
}

const sounds = new Sounds({
  wanted: { new: page.soundNew, cancelled: page.soundCancelled, amended: page.soundCancelled, late: page.soundLate },
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

/** An empty wall is a promise that nothing is open: only with a fresh word of the server. */
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
  grid.past = []; // Whoever turns the page knows that the next touch meets other tickets.
  turnedAt = performance.now();
}

// A wall that somebody leaves on a later page would hide what is most urgent.
setInterval(() => {
  if (grid.page > 0 && performance.now() - turnedAt > BACK_TO_FIRST_PAGE) grid.turn(-grid.page);
}, 1000);

// --- boards
function token() {
  return one("[name=csrfmiddlewaretoken]")?.value ?? "";
}

const read = (response) => readBoard(response, "#wall");

async function fetchBoard({ signal }) {
  const shown = sightings.take();
  const query = shown.length ? `?${new URLSearchParams(shown.map((key) => ["seen", key]))}` : "";
  const answer = await read(await askForBoard(page.board + query, one("#wall"), signal));
  sightings.told(shown);
  return answer;
}

let held = null;
let pointerDown = 0;
const LONGEST_TOUCH = 3000; // then it is a cloth, or the finger's leaving was lost
function onBoard(fresh) {
  // Never under a finger: what is touched stays where it is until the finger is up.
  if (pointerDown && performance.now() - pointerDown < LONGEST_TOUCH) {
    held = fresh;
    return undefined;
  }
  held = null;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const present = one(`[data-part="${part.dataset.part}"]`);
    if (present && present.innerHTML !== part.innerHTML) present.innerHTML = part.innerHTML;
  }
  // Changed in the admin or on another page of this screen.
  if (loadsAnew(fresh, one("#wall"))) return undefined;
  take(fresh, fresh.querySelectorAll("[data-tickets] > .ticket"));
  one("#wall").dataset.version = fresh.dataset.version; // last: only what is painted counts as shown
  return undefined;
}

function take(wall, elements) {
  tickets.take([...elements]);
  paint(document.querySelector(".later__list"));
  alarms.look(tickets.keys().map((key) => tickets.get(key)));
  sightings.add([...document.querySelectorAll(".later__one[data-order]")].map((element) => element.dataset.order));
  sightings.add(tickets.keys());
  timers?.tick();
  document.dispatchEvent(new CustomEvent("huuva:board", { detail: { version: wall.dataset.version } }));
}

/** Brand colours by CSSOM: the content security policy allows no style attributes. */
function paint(scope) {
  for (const element of scope?.querySelectorAll("[data-brand-colour]") ?? []) {
    element.style.setProperty("--brand", element.dataset.brandColour);
  }
}

function release() {
  if (held) onBoard(held);
}
document.addEventListener("pointerdown", () => {
  pointerDown = performance.now();
  setTimeout(release, LONGEST_TOUCH + 20);
}, { passive: true, capture: true });
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, () => {
    pointerDown = 0;
    setTimeout(release, 50); // after the click that follows, which must meet the ticket that was touched
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
live = connect({ ...ofBoard(first), fetchBoard, onBoard, onState });
timers = startTimers({
  now: clock,
  zone: page.zone,
  language: document.documentElement.lang,
  tickets: () => tickets.elements(),
  onLate: () => sounds.play("late"),
});
take(first, gridElement.querySelectorAll(":scope > .ticket"));

const actions = new Actions({ page, token, live, read, tickets, say });
const panels = openPanels({ page, actions, say, sounds });
startKeys({ grid, tickets, actions, panels, turn, say, page });
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-turn]");
  if (button) turn(Number(button.dataset.turn));
});
keepAwake({ from: page.awakeFrom, to: page.awakeTo, zone: page.zone, now: clock });
keepPaper({ worker: page.worker, paper: page.paper });
loaded(first);
// For tests and for whoever looks into a wall from the console.
window.huuva = { live, grid, tickets };
