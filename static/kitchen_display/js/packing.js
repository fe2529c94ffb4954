// Where each ticket goes: columns filled from the top, most urgent first, pages after that. Pure: sizes in, places out.

/**
 * @typedef {{head: number, items: number[], foot: number, span?: number}} Size  heights in px; span in columns
 * @typedef {{ticket: number, from: number, to: number, column: number, y: number, span: number, last: boolean,
 *   height: number}} Place
 */

// A ticket shorter than this share of a column moves to the next column rather than being split.
const WORTH_SPLITTING = 0.4;

/**
 * @param {Size[]} sizes
 * @param {{columns: number, height: number, gap: number, continued: number, more: number, eager: boolean, least: number}} page
 *   `eager`: split short tickets, too; `least`: items that a part has at least.
 *   `continued` is the height of the head of a continued part, `more` that of the line under a part that goes on.
 * @returns {Place[][]} pages
 */
export function pack(sizes, page) {
  const pages = [[]];
  let column = 0;
  let y = 0;

  const nextColumn = (span = 1) => {
    column += span;
    y = 0;
    if (column >= page.columns) newPage();
  };
  const newPage = () => {
    pages.push([]);
    column = 0;
    y = 0;
  };
  const put = (ticket, from, to, span, last, height) => {
    pages.at(-1).push({ ticket, from, to, column, y, span, last, height });
    y += height + page.gap;
  };

  sizes.forEach((size, ticket) => {
    const span = Math.min(size.span ?? 1, page.columns);
    const whole = size.head + sum(size.items) + size.foot;
    if (span > 1) {
      if (y > 0) nextColumn();
      if (column + span > page.columns) newPage();
      put(ticket, 0, size.items.length, span, true, whole);
      nextColumn(span);
      return;
    }
    if (y + whole <= page.height) {
      put(ticket, 0, size.items.length, 1, true, whole);
      return;
    }
    const splits = splitAt(size, page, y, page.columns - column);
    const worth = page.eager || whole > page.height * WORTH_SPLITTING;
    if (!(splits && worth) && y > 0) nextColumn();
    let from = 0;
    while (from < size.items.length || from === 0) {
      const head = from ? page.continued : size.head;
      const to = fitting(size, from, head, page, page.height - y);
      const last = to === size.items.length;
      const height = head + sum(size.items.slice(from, to)) + (last ? size.foot : page.more);
      put(ticket, from, to, 1, last, height);
      from = to;
      if (last) break;
      nextColumn();
    }
  });
  return pages.filter((places, index) => places.length || index === 0);
}

/** Whether the ticket may begin at `y`: at least `least` items there, and its end on the same page. */
function splitAt(size, page, y, columnsLeft) {
  if (size.items.length < 2) return false;
  const first = fitting(size, 0, size.head, page, page.height - y, false);
  if (first < Math.min(page.least, size.items.length - 1)) return false;
  let from = first;
  for (let columns = 1; from < size.items.length; columns += 1) {
    if (columns >= columnsLeft) return false;
    from = fitting(size, from, page.continued, page, page.height);
  }
  return true;
}

/** The end of the items that fit into `room` from `from` on; at least one where `least` is set. */
function fitting(size, from, head, page, room, least = true) {
  let height = head;
  for (let index = from; index < size.items.length; index += 1) {
    height += size.items[index];
    const end = index === size.items.length - 1 ? size.foot : page.more;
    if (height + end > room) return least ? Math.max(index, from + 1) : index;
  }
  return size.items.length;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
