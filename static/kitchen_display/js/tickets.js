// The tickets that are known: unchanged ones keep their elements, bumped ones stay in place with Undo for 10 s.

const UNDO_FOR = 10_000;
const FRESH_FOR = 20_000;
const TOKENS = /name="csrfmiddlewaretoken" value="[^"]*"/g;

export class Tickets {
  constructor(grid, { words, onNew, onShow }) {
    this.grid = grid;
    this.words = words;
    this.onNew = onNew;
    this.onShow = onShow;
    this.known = new Map();
    this.order = [];
    this.undoable = new Map(); // key → {plu, timer, done}
    this.first = true;
    setInterval(() => this.age(), 2000);
  }

  /** Ends the ring around what is new. */
  age() {
    for (const ticket of this.known.values()) {
      if (ticket.freshUntil < performance.now()) ticket.element.classList.remove("ticket--fresh");
    }
  }

  elements() {
    return this.order.map((key) => this.known.get(key).element);
  }

  get count() {
    return this.order.length;
  }

  keys() {
    return this.order.filter((key) => !this.known.get(key).gone);
  }

  get(key) {
    return this.known.get(key);
  }

  byNumber(number) {
    return this.keys().map((key) => this.known.get(key)).find((ticket) => ticket.element.dataset.number === String(number));
  }

  /** Takes in the tickets of a fresh board, most urgent first. */
  take(elements) {
    const before = this.order;
    const known = new Map();
    const order = [];
    let news = 0;
    for (const element of elements) {
      const key = element.dataset.order;
      const html = element.outerHTML.replace(TOKENS, "");
      const old = this.known.get(key);
      if (old && !old.gone && old.html === html) {
        known.set(key, old);
      } else {
        if (!old) news += 1;
        known.set(key, ticketOf(key, element, html));
        if (!old && !this.first) {
          element.classList.add("ticket--fresh");
          known.get(key).freshUntil = performance.now() + FRESH_FOR;
        }
      }
      order.push(key);
    }
    for (const [index, key] of before.entries()) {
      if (known.has(key) || !this.undoable.has(key)) continue;
      known.set(key, this.ghost(this.known.get(key)));
      // Where it was: after the nearest one before it that is still there.
      const previous = before.slice(0, index).reverse().find((other) => known.has(other) && order.includes(other));
      order.splice(previous === undefined ? 0 : order.indexOf(previous) + 1, 0, key);
    }
    this.known = known;
    this.order = order;
    for (const [key, undo] of this.undoable) {
      const ticket = known.get(key);
      if (ticket && !ticket.gone) this.offerUndo(ticket, undo);
    }
    if (news && !this.first) this.onNew();
    this.first = false;
    this.show();
  }

  show() {
    this.grid.show(this.order.map((key) => this.known.get(key)));
    this.onShow();
  }

  /** After a bump of a ticket (or of one item, `plu`): Undo stands in its place for 10 s. */
  bumped(key, plu) {
    clearTimeout(this.undoable.get(key)?.timer);
    const timer = setTimeout(() => this.settle(key), UNDO_FOR);
    this.undoable.set(key, { plu, timer, done: false });
  }

  /** The server has done it: from now on a board that shows it undone means that somebody took it back. */
  confirm(key) {
    const undo = this.undoable.get(key);
    if (undo) undo.done = true;
  }

  /** Undo is over, or was used. */
  settle(key) {
    clearTimeout(this.undoable.get(key)?.timer);
    this.undoable.delete(key);
    const ticket = this.known.get(key);
    if (!ticket) return;
    if (ticket.gone) {
      this.known.delete(key);
      this.order = this.order.filter((other) => other !== key);
      this.show();
    } else if (ticket.undo) {
      const fresh = ticketOf(key, ticket.plain, ticket.html);
      this.known.set(key, fresh);
      this.show();
    }
  }

  ghost(ticket) {
    if (ticket.gone) return ticket;
    const element = ticket.plain.cloneNode(true);
    element.classList.add("ticket--gone");
    element.classList.remove("ticket--fresh", "ticket--alarmed");
    for (const button of element.querySelectorAll("button.item__touch")) button.disabled = true;
    const gone = { ...ticketOf(ticket.key, element, ticket.html), gone: true };
    element.querySelector(".state")?.replaceChildren(icon("ready"), this.words.done);
    element.querySelector(".state").className = "state state--ready";
    element.querySelector(".timer")?.setAttribute("data-done", "1");
    this.undoFoot(element, ticket.key);
    return gone;
  }

  offerUndo(ticket, undo) {
    if (ticket.undo) return;
    const element = ticket.element.cloneNode(true);
    if (undo.plu) {
      const item = [...element.querySelectorAll(".item")].find((line) => line.dataset.plu === undo.plu);
      if (!item || item.querySelector("button")) {
        if (undo.done) this.undoable.delete(ticket.key);
        return;
      }
      const button = document.createElement("button");
      button.type = "button";
      button.className = "item__touch item__touch--undo";
      button.dataset.undo = ticket.key;
      button.dataset.key = `item:${ticket.key}|${undo.plu}`;
      button.append(...item.querySelector(".item__touch").childNodes);
      const mark = document.createElement("span");
      mark.className = "item__undo";
      mark.append(icon("undo"), this.words.undo);
      button.querySelector(".item__line").append(mark);
      item.replaceChildren(button);
    } else if (["ready", "picked-up"].includes(element.dataset.state)) {
      this.undoFoot(element, ticket.key);
    } else {
      if (undo.done) this.undoable.delete(ticket.key);
      return;
    }
    this.known.set(ticket.key, { ...ticketOf(ticket.key, element, ticket.html), plain: ticket.plain, undo: true });
  }

  undoFoot(element, key) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "foot foot--undo";
    button.dataset.undo = key;
    button.dataset.key = `foot:${key}`;
    button.append(icon("undo"), this.words.undo);
    element.querySelector(".ticket__foot .foot")?.remove();
    element.querySelector(".ticket__foot").append(button);
  }
}

function ticketOf(key, element, html) {
  element.style.setProperty("--brand", element.dataset.brandColour);
  const list = element.querySelector(".items");
  const items = [...list.children];
  const ends = [];
  for (let next = list.nextElementSibling; next; next = next.nextElementSibling) ends.push(next);
  // `plain` is the ticket as the server rendered it; split parts take items out of `element`.
  return { key, html, element, plain: element.cloneNode(true), items, ends, sizes: new Map() };
}

function icon(name) {
  const sheet = document.createElement("template");
  sheet.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#i-${name}"></use></svg>`;
  return sheet.content.firstChild;
}
