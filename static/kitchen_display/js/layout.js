// The grid: measures tickets, packs them into columns and pages (packing.js) and puts one page on the wall.
// Nothing is ever cut: a ticket taller than a column goes on in the next, one with a very long note gets wider.

import { pack } from "./packing.js";

const WANTED = 12;
const LOOSEN_AFTER = 20_000;
const MOVED_FOR = 700;
const SCROLLS = matchMedia("(max-width: 700px)");
// Least column width in rem for each density; the text sizes that go with them are in ticket.css.
const WIDTHS = [23, 19, 16.4, 16.4, 14.4, 14.4, 12.7, 11.4];

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
    this.density = 1;
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
  }

  resized() {
    const size = `${this.element.clientWidth}×${this.element.parentElement.clientHeight}`;
    if (size === this.size) return;
    this.size = size;
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

  /** The page that a ticket begins on, or -1. */
  pageOf(key) {
    return this.pages.findIndex((places) => places.some((place) => this.tickets[place.ticket].key === key));
  }

  arrange() {
    const focus = focused();
    this.remember();
    for (const ticket of this.tickets) join(ticket);
    if (SCROLLS.matches) {
      this.pages = [[]];
      this.page = 0;
      this.element.className = "grid grid--scroll";
      this.element.replaceChildren(...this.tickets.map((ticket) => place(ticket.element, null)));
      this.onPage({ page: 0, pages: 1, off: [] });
      return;
    }
    const wanted = Math.min(WANTED, this.tickets.length);
    const loosen = performance.now() - this.tightenedAt > LOOSEN_AFTER;
    let density = loosen ? 1 : this.density;
    for (; ; density += 1) {
      this.packAt(density);
      const onFirst = new Set(this.pages[0].map((spot) => spot.ticket)).size;
      if (onFirst >= wanted || density === WIDTHS.length) break;
    }
    if (density > this.density || (density === this.density && density > 1)) this.tightenedAt = performance.now();
    this.density = density;
    this.page = Math.min(this.page, this.pages.length - 1);
    this.render(focus);
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

  packAt(density) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const gap = 0.5 * rem;
    const width = this.element.clientWidth;
    const columns = this.columns || Math.max(1, Math.floor((width + gap) / (WIDTHS[density - 1] * rem + gap)));
    const column = Math.floor((width - gap * (columns - 1)) / columns);
    const height = this.element.clientHeight;
    this.shape = { columns, column, gap, density };
    this.measure.dataset.density = density;
    const own = this.measureExtras(column);
    const sizes = this.measureAll(`${density}:${column}:${height}`, column, { columns, gap, height, ...own });
    this.pages = pack(sizes, { columns, height, gap, ...own, eager: density > 2, least: density > 3 ? 1 : 2 });
  }

  /** Sizes of all tickets; those not known yet are measured in one go, so that the browser lays out once. */
  measureAll(name, column, page) {
    let unknown = this.tickets.filter((ticket) => !ticket.sizes.has(name));
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
    return this.tickets.map((ticket) => ticket.sizes.get(name));
  }

  check() {
    if (SCROLLS.matches || performance.now() - (this.checkedAt ?? -Infinity) < 500) return;
    const grown = [...this.heights].filter(([part, { height }]) => part.isConnected && part.offsetHeight > height + 2);
    if (!grown.length) return;
    this.checkedAt = performance.now();
    for (const [, { ticket }] of grown) ticket.sizes.clear();
    this.arrange();
  }

  measureExtras(column) {
    if (!this.tickets.length) return { continued: 0, more: 0 };
    const part = this.continuation(this.tickets[0]);
    const line = this.moreLine();
    part.querySelector(".ticket__foot")?.remove();
    part.append(line);
    this.measure.style.width = `${column}px`;
    this.measure.replaceChildren(part);
    const more = line.getBoundingClientRect().height;
    const continued = part.getBoundingClientRect().height - more + 2;
    this.measure.replaceChildren();
    return { continued, more };
  }

  render(focus = focused()) {
    const { column, gap, density } = this.shape;
    for (const ticket of this.tickets) join(ticket);
    this.watch.disconnect();
    this.heights.clear();
    const parts = this.pages[this.page].map((spot) => {
      const ticket = this.tickets[spot.ticket];
      const part = this.part(ticket, spot);
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

  part(ticket, spot) {
    if (spot.last && spot.from === 0) return ticket.element;
    let part = ticket.element;
    if (spot.from > 0) {
      part = this.continuation(ticket);
      ticket.parts.push(part);
      part.querySelector(".items").append(...ticket.items.slice(spot.from, spot.to));
      if (spot.last) part.append(...ticket.ends);
    }
    if (!spot.last) {
      const line = this.moreLine();
      ticket.lines.push(line);
      if (spot.from === 0) for (const end of ticket.ends) end.remove();
      part.append(line);
    }
    return part;
  }

  continuation(ticket) {
    const part = ticket.element.cloneNode(false);
    part.removeAttribute("id");
    part.className = `${ticket.element.className} ticket--continued`;
    part.removeAttribute("style");
    const brand = ticket.element.style.getPropertyValue("--brand");
    if (brand) part.style.setProperty("--brand", brand);
    const head = document.createElement("header");
    head.className = "ticket__head";
    for (const name of [".slot", ".ticket__id"]) {
      const piece = ticket.element.querySelector(name);
      if (piece) head.append(piece.cloneNode(true));
    }
    const from = document.createElement("span");
    from.className = "ticket__from";
    from.textContent = this.words.continued;
    head.append(from);
    const items = document.createElement("ul");
    items.className = "items";
    part.append(head, items);
    return part;
  }

  moreLine() {
    const line = document.createElement("p");
    line.className = "ticket__more";
    line.textContent = `${this.words.continues} →`;
    return line;
  }
}

function focused() {
  return document.activeElement?.closest?.("[data-key]")?.dataset.key;
}

/** Brings a ticket that was split back into one element. */
function join(ticket) {
  for (const line of ticket.lines ?? []) line.remove();
  for (const part of ticket.parts ?? []) part.remove();
  if (ticket.lines?.length) {
    ticket.element.querySelector(".items").append(...ticket.items);
    ticket.element.append(...ticket.ends);
  }
  ticket.lines = [];
  ticket.parts = [];
}

function sizeOf(ticket) {
  const box = ticket.element.getBoundingClientRect();
  const items = ticket.items.map((item) => item.getBoundingClientRect().height);
  const list = ticket.element.querySelector(".items").getBoundingClientRect();
  return { head: list.top - box.top, items, foot: box.bottom - list.bottom };
}

function fits(size, page) {
  const tallest = Math.max(0, ...size.items);
  const alone = size.head + (size.items[0] ?? 0) + Math.max(size.foot, page.more);
  if (size.span > 1) return size.head + size.items.reduce((a, b) => a + b, 0) + size.foot <= page.height;
  return alone <= page.height && page.continued + tallest + Math.max(size.foot, page.more) <= page.height;
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
