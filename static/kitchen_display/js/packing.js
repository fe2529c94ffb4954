// Where each ticket goes: columns filled from the top, most urgent first, pages after that. Pure: sizes in, places out.

/**
 * @typedef {{head: number, items: number[], foot: number, span?: number}} Size  heights in px; span in columns
 * @typedef {{ticket: number, from: number, to: number, column: number, y: number, span: number, last: boolean,
 *   turns: boolean, height: number}} Place  `turns`: it goes on on another page
 * @typedef {{columns: number, height: number, gap: number, continued: number, more: number, turn: number,
 *   eager: boolean, least: number, whole?: boolean, wanted?: number}} Page
 *   `continued` is the height of the head of a continued part; `more` and `turn` those of the line under a part that
 *   goes on beside it or on another page. `eager`: split short tickets, too; `least`: items that a part has at least;
 *   `whole`: split only what is taller than a column.
 *   `wanted`: so many tickets begin on the first page, if need be with a few of their items, and go on on the next.
 */

// A ticket shorter than this share of a column moves to the next column rather than being split.
const WORTH_SPLITTING = 0.4;
// Items that a ticket which goes on on another page shows at least of itself; fewer only where it must be.
const LEAST_BEGUN = [3, 2, 1, 0];

const TOP = { column: 0, y: 0 };

/** @param {Size[]} sizes @param {Page} page @returns {Place[][]} pages */
export function pack(sizes, page) {
  const pages = [[]];
  let at = TOP;
  let begun = 0;
  const rests = [];

  const newPage = () => {
    if (!pages.at(-1).length) return;
    pages.push([]);
    at = TOP;
  };
  const put = (ticket, { places, end }) => {
    for (const place of places) pages.at(-1).push({ ticket, ...place });
    at = end;
  };

  /** The ticket from an item on: on one page where that is possible, else over as many as it takes. */
  const flow = (ticket, from) => {
    const size = sizes[ticket];
    while (from < size.items.length || from === 0) {
      const beside = { column: at.column + 1, y: 0 };
      const here = from === 0 ? started(size, page, at) : spread(size, page, at, from, size.items.length);
      const whole = here ?? (at.y > 0 ? spread(size, page, beside, from, size.items.length) : null);
      if (whole) return put(ticket, whole);
      const isEmpty = !pages.at(-1).length;
      if (!isEmpty && spread(size, page, TOP, from, size.items.length)) {
        newPage();
        continue;
      }
      const part = furthest(size, page, at, from) ?? furthest(size, page, beside, from);
      if (part) {
        put(ticket, part);
        from = part.to;
      } else if (isEmpty) return put(ticket, forced(size, page, from));
      newPage();
    }
    return undefined;
  };

  const wanted = reachable(sizes, page);
  for (; begun < wanted.tickets; begun += 1) {
    const chosen = chooseBegin(sizes, page, begun, at, wanted);
    put(begun, chosen);
    if (chosen.to < sizes[begun].items.length) rests.push({ ticket: begun, from: chosen.to });
  }
  if (rests.length) newPage();
  for (const { ticket, from } of rests) flow(ticket, from);
  for (let ticket = begun; ticket < sizes.length; ticket += 1) flow(ticket, 0);
  return pages.filter((places, index) => places.length || index === 0);
}

/** How many tickets can begin on the first page, up to `wanted`, and with how many items each at least. */
function reachable(sizes, page) {
  for (let tickets = Math.min(page.wanted ?? 0, sizes.length); tickets > 0; tickets -= 1) {
    for (const least of LEAST_BEGUN) {
      if (beginnings(sizes, page, 0, TOP, { tickets, least })) return { tickets, least };
    }
  }
  return { tickets: 0, least: 0 };
}

/** Whether the tickets from this one on can begin on this page, each with as little of itself as may be. */
function beginnings(sizes, page, ticket, at, { tickets, least }) {
  for (; ticket < tickets; ticket += 1) {
    const begin = begins(sizes[ticket], page, at, least) ?? begins(sizes[ticket], page, { column: at.column + 1, y: 0 }, least);
    if (!begin) return false;
    at = begin.end;
  }
  return true;
}

function begins(size, page, at, least) {
  return spread(size, page, at, 0, Math.min(least, size.items.length));
}

/** As much of the ticket as leaves room for the beginnings of those after it. */
function chooseBegin(sizes, page, ticket, at, wanted) {
  const size = sizes[ticket];
  for (let to = size.items.length; to >= 0; to -= 1) {
    for (const from of [at, { column: at.column + 1, y: 0 }]) {
      const chosen = spread(size, page, from, 0, to);
      if (chosen && beginnings(sizes, page, ticket + 1, chosen.end, wanted)) return chosen;
    }
  }
  throw new Error("No room where there was some");
}

/** A whole ticket from `at` on, on this page: in one part, or split where that is worth it. */
function started(size, page, at) {
  const all = spread(size, page, at, 0, size.items.length);
  if (!all || all.places.length === 1 || at.y === 0) return all;
  const worth = !page.whole && (page.eager || size.head + sum(size.items) + size.foot > page.height * WORTH_SPLITTING);
  return worth && all.places[0].to >= Math.min(page.least, size.items.length - 1) ? all : null;
}

/** As many items as go on this page, at least one; null where not even that fits. */
function furthest(size, page, at, from) {
  for (let to = size.items.length; to > from; to -= 1) {
    const part = spread(size, page, at, from, to);
    if (part) return part;
  }
  return null;
}

/**
 * The items from `from` to `to` on this page from `at` on, over as many columns as that takes; where items remain, under a
 * line that leads to another page.
 * @returns {{places: object[], to: number, end: {column: number, y: number}} | null} null where there is no room
 */
function spread(size, page, at, from, to) {
  const span = Math.min(size.span ?? 1, page.columns);
  const places = [];
  let { column, y } = at;
  if (span > 1 && y > 0) return null;
  const last = to === size.items.length;
  const end = last ? size.foot : page.turn;
  for (let index = from; ; ) {
    if (column + span > page.columns) return null;
    const head = index === 0 && !places.length ? size.head : page.continued;
    let height = head;
    let next = index;
    while (next < to && y + height + size.items[next] + (next === to - 1 ? end : page.more) <= page.height) {
      height += size.items[next];
      next += 1;
    }
    const done = next === to;
    // An empty part would be a head alone: fine for a ticket's beginning, nowhere else.
    if (next === index && !(done && index === 0)) return null;
    height += done ? end : page.more;
    if (y + height > page.height) return null;
    places.push({ from: index, to: next, column, y, span, last: done && last, turns: done && !last, height });
    if (done) {
      const after = span > 1 ? { column: column + span, y: 0 } : { column, y: y + height + page.gap };
      return { places, to, end: after };
    }
    index = next;
    column += span;
    y = 0;
  }
}

/** A ticket that no page is tall enough for. */
function forced(size, page, from) {
  const span = Math.min(size.span ?? 1, page.columns);
  const height = (from ? page.continued : size.head) + sum(size.items.slice(from)) + size.foot;
  const to = size.items.length;
  const places = [{ from, to, column: 0, y: 0, span, last: true, turns: false, height, tall: true }];
  return { places, to, end: { column: span, y: 0 } };
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
