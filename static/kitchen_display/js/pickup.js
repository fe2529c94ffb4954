// The pickup board: the same stream and watchdog as the wall, numbers only.

import { timeFormat } from "./clock.js";
import { connect } from "./live.js";
import { forgetReload, reloadIfChanged } from "./reload.js";
import { boardData, parseBoard, requestBoard } from "./requests.js";
import { keepAwake } from "./wake.js";

const page = document.body.dataset;
const TURN_EVERY = 8000;

document.documentElement.style.setProperty("--text-scale", Number(page.textScale || 100) / 100);

async function fetchBoard({ signal }) {
  return parseBoard(await requestBoard(page.board, document.getElementById("pickup"), signal), "#pickup");
}

function onBoard(fresh) {
  const present = document.getElementById("pickup");
  if (reloadIfChanged(fresh, present)) return;
  const known = new Set([...present.querySelectorAll(".half--ready li")].map((number) => number.dataset.number));
  for (const number of fresh.querySelectorAll(".half--ready li")) {
    if (!known.has(number.dataset.number)) number.classList.add("is-new");
  }
  present.replaceWith(fresh);
  arrange();
}

// --- more numbers than fit: smaller first, then in turns
let turn = 0;
function arrange() {
  for (const list of document.querySelectorAll("[data-numbers]")) {
    const all = [...list.children];
    const more = list.parentElement.querySelector("[data-more]");
    more.hidden = true;
    list.classList.remove("numbers--many");
    for (const number of all) number.classList.remove("is-off");
    if (list.scrollHeight > list.clientHeight) list.classList.add("numbers--many");
    if (list.scrollHeight <= list.clientHeight) continue;
    // Shown before anything is measured, as it takes room. A page is a number of whole rows, however wide its numbers.
    more.textContent = "1/1";
    more.hidden = false;
    const bottom = list.getBoundingClientRect().top + list.clientHeight;
    const tops = [...new Set(all.map((number) => number.offsetTop))];
    const rows = all.map((number) => tops.indexOf(number.offsetTop));
    const fit = Math.max(1, rows.findLast((_, index) => all[index].getBoundingClientRect().bottom <= bottom) + 1 || 0);
    const pages = Math.ceil(tops.length / fit);
    const shown = turn % pages;
    all.forEach((number, index) => number.classList.toggle("is-off", Math.floor(rows[index] / fit) !== shown));
    more.textContent = `${shown + 1}/${pages}`;
  }
}
setInterval(() => {
  turn += 1;
  arrange();
}, TURN_EVERY);
addEventListener("resize", arrange);
document.fonts.ready.then(arrange);

const times = timeFormat(page.zone, document.documentElement.lang);
function onState({ state, lastGood }) {
  document.body.dataset.state = state;
  const banner = document.querySelector("[data-stale]");
  const changed = banner.hidden === (state === "stale");
  banner.hidden = state !== "stale";
  document.querySelector("[data-stale-at]").textContent = times.format(lastGood);
  if (changed) arrange(); // The banner stands above the numbers and takes their room.
}

const first = document.getElementById("pickup");
forgetReload(first);
const live = connect({ ...boardData(first), fetchBoard, onBoard, onState });
arrange();
setInterval(() => {
  const clock = document.querySelector("[data-clock]");
  if (clock) clock.textContent = times.format(live.now());
}, 1000);
keepAwake({ from: page.awakeFrom, to: page.awakeTo, zone: page.zone, now: () => live.now() });
window.huuva = { live };
