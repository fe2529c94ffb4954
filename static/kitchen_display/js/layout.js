// The grid: measures tickets, packs them into columns and pages (packing.js) and puts one page on the wall.
// Nothing is ever cut: a ticket taller than a column goes on in the next, one with a very long note gets wider, and what no
// page is tall enough for makes the grid scroll.

import { pack } from "./packing.js";
import { continuation, join, moreLine, partOf, turnLine } from "./split.js";

const WANTED = 12;
const LOOSEN_AFTER = 20_000;
const MOVED_FOR = 700;
const SCROLLS = matchMedia("(max-width: 700px)");
// From spacious to tight: `density` chooses the text sizes of ticket.css, `width` is the least width of a column in rem. The
// first with which the twelve most urgent tickets stand whole on the first page is taken.
const STEPS = [
  { density: 0, width: 29 },
  { density: 1, width: 23 },
  { density: 2, width: 19 },
  { density: 3, width: 16.4 },
  { density: 4, width: 16.4 },
  { density: 4, width: 14.4 },
  { density: 5, width: 14.4 },
  { density: 5, width: 12.7 },
  { density: 6, width: 14.4 },
  { density: 6, width: 12.7 },
  { density: 6, width: 11.4 },
];

export class Grid {
  /** `onPage` is called with {page, pages, off: Ticket[]} after each arrangement. */
  constructor(element, { words, columns = 0, onPage }) {
    this.element = element;
    this.words = words;
    this.columns = columns;
    this.onPage = onPage;
    this.tickets = [];
    this.page = 0;
    this.pages = [[]];
    this.step = 0;
    this.extras = new Map(); // sizes of what is added to parts, by density and column
    this.tightenedAt = -Infinity;
    this.measure = document.createElement("div");
    this.measure.className = "measure";
    this.measure.setAttribute("aria-hidden", "true");
    element.after(this.measure);
    new ResizeObserver(() => this.resized()).observe(element.parentElement);
    // What grows after it was measured (a font that came late, a longer word) must not cover what is below it.
    this.heights = new Map();
    this.watch = new ResizeObserver(() => this.check());
    this.past = []; // what stood where until lately, for `wasOther`
    SCROLLS.addEventListener("change", () => this.arrange());
    document.fonts.addEventListener("loadingdone", () => this.measureAgain());
  }

  resized() {
    const size = `${this.element.clientWidth}×${this.element.parentElement.clientHeight}`;
    if (size === this.size) return;
    this.size = size;
    this.measureAgain();
  }

  measureAgain() {
    this.extras.clear();
    for (const ticket of this.tickets) ticket.sizes = new Map();
    this.arrange();
  }

  /** Tickets are {key, element, items: Element[], sizes: Map}, most urgent first. */
  show(tickets) {
    this.tickets = tickets;
    this.arrange();
  }

  turn(pages) {
    const page = Math.min(Math.max(this.page + pages, 0), this.pages.length - 1);
    if (page !== this.page) {
      this.page = page;
      this.remember();
      this.render();
    }
  }

  /** A page with something of this ticket: the one that is shown, else the one that it begins on; or -1. */
  pageOf(key) {
    const has = (places) => places?.some((place) => this.tickets[place.ticket].key === key);
    return has(this.pages[this.page]) ? this.page : this.pages.findIndex(has);
  }

  arrange() {
    const focus = focused();
    this.remember();
    for (const ticket of this.tickets) join(ticket);
    if (SCROLLS.matches) return this.scroll();
    const loosen = performance.now() - this.tightenedAt > LOOSEN_AFTER;
    const before = this.step;
    this.step = this.chooseStep(loosen ? 0 : before);
    // Every 20 s at most it is tried whether larger type would do, and only then may all that stands there move.
    if (loosen || this.step > before) this.tightenedAt = performance.now();
    if (this.pages.some((places) => places.some((spot) => spot.tall))) return this.scroll();
    this.page = Math.min(this.page, this.pages.length - 1);
    return this.render(focus);
  }

  /** Packs with the most spacious step, from this one on, that has the wanted tickets on the first page; returns it. */
  chooseStep(from) {
    const wanted = Math.min(WANTED, this.tickets.length);
    const first = this.tickets.slice(0, wanted);
    let best = { whole: -1 };
    for (let step = from; step < STEPS.length; step += 1) {
      // Columns that are set by hand are not narrowed: there only the type gets smaller.
      if (this.columns && step > from && STEPS[step].density === STEPS[step - 1].density) continue;
      const pages = this.packAt(STEPS[step], first, 0);
      if (pages.length === 1 && !pages[0].some((spot) => spot.tall)) {
        this.pages = this.packAt(STEPS[step], this.tickets, 0);
        return step;
      }
      // None is spacious enough: then the tightest type, in the columns that have most tickets whole on the first page.
      if (STEPS[step].density < STEPS.at(-1).density) continue;
      const whole = this.packAt(STEPS[step], first, wanted)[0].filter((spot) => spot.last).length;
      if (whole > best.whole) best = { whole, step };
    }
    this.pages = this.packAt(STEPS[best.step], this.tickets, wanted);
    return best.step;
  }

  /** All tickets below one another: on phones, and where one is taller than any page. */
  scroll() {
    this.pages = [[]];
    this.page = 0;
    this.watch.disconnect();
    this.element.className = "grid grid--scroll";
    this.element.replaceChildren(...this.tickets.map((ticket) => place(ticket.element, null)));
    this.onPage({ page: 0, pages: 1, off: [] });
  }

  /** Before anything moves: which touchable thing is where. */
  remember() {
    const now = performance.now();
    const places = [...this.element.querySelectorAll("[data-key]")].map((button) => {
      const { left, top, right, bottom } = button.getBoundingClientRect();
      return { key: button.dataset.key, left, top, right, bottom };
    });
    this.past = this.past.filter(({ until }) => now - until < MOVED_FOR);
    this.past.push({ until: now, places });
  }

  /** Whether something else than `key` could be touched at this point of the window within the last 700 ms. */
  wasOther(x, y, key) {
    const now = performance.now();
    const hit = (place) => x >= place.left && x < place.right && y >= place.top && y < place.bottom;
    return this.past.some(({ until, places }) => {
      const there = now - until < MOVED_FOR ? places.find(hit) : null;
      return there && there.key !== key;
    });
  }

  /** Pages of these tickets; `wanted` of them begin on the first one, whether they are whole there or not. */
  packAt({ density, width: least }, tickets, wanted) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const gap = 0.5 * rem;
    const width = this.element.clientWidth;
    const columns = this.columns || Math.max(1, Math.floor((width + gap) / (least * rem + gap)));
    const column = Math.floor((width - gap * (columns - 1)) / columns);
    const height = this.element.clientHeight;
    this.shape = { columns, column, gap, density };
    this.measure.dataset.density = density;
    const extras = `${density}:${column}`;
    if (!this.extras.has(extras) && tickets.length) this.extras.set(extras, this.measureExtras(tickets[0], column));
    const own = this.extras.get(extras);
    const sizes = this.measureAll(tickets, `${density}:${column}:${height}`, column, { columns, gap, height, ...own });
    const page = { columns, height, gap, ...own, wanted, eager: density > 2, least: density > 3 ? 1 : 2 };
    // Where one page has room for all of them whole, none is split.
    const whole = pack(sizes, { ...page, wanted: 0, whole: true });
    return whole.length === 1 ? whole : pack(sizes, page);
  }

  /** Sizes of these tickets; those not known yet are measured in one go, so that the browser lays out once. */
  measureAll(tickets, name, column, page) {
    let unknown = tickets.filter((ticket) => !ticket.sizes.has(name));
    for (let span = 1; unknown.length; span += 1) {
      const width = column * span + page.gap * (span - 1);
      this.measure.replaceChildren(...unknown.map((ticket) => place(ticket.element, null)));
      this.measure.style.width = `${width}px`;
      const sizes = unknown.map(sizeOf);
      unknown = unknown.filter((ticket, index) => {
        const size = { ...sizes[index], span };
        ticket.sizes.set(name, size);
        return span < page.columns && !fits(size, page);
      });
    }
    this.measure.replaceChildren();
    return tickets.map((ticket) => ticket.sizes.get(name));
  }

  check() {
    if (SCROLLS.matches || performance.now() - (this.checkedAt ?? -Infinity) < 500) return;
    const grown = [...this.heights].filter(([part, { height }]) => part.isConnected && part.offsetHeight > height + 2);
    if (!grown.length) return;
    this.checkedAt = performance.now();
    for (const [, { ticket }] of grown) ticket.sizes.clear();
    this.arrange();
  }

  /** What a part that goes on needs besides its items; with a ticket's borders. */
  measureExtras(ticket, column) {
    const part = continuation(ticket, this.words);
    const [more, turn] = [moreLine(this.words), turnLine(ticket, 0, 0, this.words)];
    part.append(more, turn);
    this.measure.style.width = `${column}px`;
    this.measure.replaceChildren(part);
    const [all, ...lines] = [part, more, turn].map((element) => element.getBoundingClientRect().height);
    this.measure.replaceChildren();
    return { continued: all - lines[0] - lines[1] + 2, more: lines[0] + 1, turn: lines[1] + 1 };
  }

  render(focus = focused()) {
    const { column, gap, density } = this.shape;
    for (const ticket of this.tickets) join(ticket);
    this.watch.disconnect();
    this.heights.clear();
    const parts = this.pages[this.page].map((spot) => {
      const ticket = this.tickets[spot.ticket];
      const part = partOf(ticket, spot, this.page, this.words);
      const left = Math.round(spot.column * (column + gap));
      const top = Math.round(spot.y);
      this.heights.set(part, { ticket, height: spot.height });
      this.watch.observe(part);
      return place(part, { left, top, width: column * spot.span + gap * (spot.span - 1) });
    });
    this.element.className = "grid grid--packed";
    this.element.dataset.density = density;
    replace(this.element, parts);
    const wanted = focus && this.element.querySelector(`[data-key="${CSS.escape(focus)}"]`);
    if (wanted && wanted !== document.activeElement) wanted.focus({ preventScroll: true });
    const shown = new Set(this.pages[this.page].map((spot) => spot.ticket));
    this.onPage({
      page: this.page,
      pages: this.pages.length,
      off: this.tickets.filter((_, index) => !shown.has(index)),
    });
  }
}

function focused() {
  return document.activeElement?.closest?.("[data-key]")?.dataset.key;
}

function sizeOf(ticket) {
  const box = ticket.element.getBoundingClientRect();
  const items = ticket.items.map((item) => item.getBoundingClientRect().height);
  const list = ticket.element.querySelector(".items").getBoundingClientRect();
  return { head: list.top - box.top, items, foot: box.bottom - list.bottom };
}

/** Whether it may be split so that every part fits into the height of a page. */
function fits(size, page) {
  const tallest = Math.max(0, ...size.items);
  const end = Math.max(size.foot, page.more, page.turn);
  return size.head + (size.items[0] ?? 0) + end <= page.height && page.continued + tallest + end <= page.height;
}

function place(element, spot) {
  element.style.left = spot ? `${spot.left}px` : "";
  element.style.top = spot ? `${spot.top}px` : "";
  element.style.width = spot ? `${spot.width}px` : "";
  return element;
}

/** Like replaceChildren, but leaves elements that stay untouched, so that focus and animations go on. */
function replace(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}
