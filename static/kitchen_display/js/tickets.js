// The tickets of the wall: unchanged ones keep their elements. What was bumped here stays in its place for 10 s, dimmed
// and as tall as it was, so that nothing moves under the next touch and Undo is where the finger just was.

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
    this.order = []; // keys as shown
    this.served = []; // keys as in the server's board
    this.undoable = new Map(); // key → {plu, from, timer, done}
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

  /** Shows the tickets of a fresh board, most urgent first. */
  update(elements) {
    const known = new Map();
    let newCount = 0;
    for (const element of elements) {
      const key = element.dataset.order;
      const html = element.outerHTML.replace(TOKENS, "");
      const old = this.known.get(key);
      if (old && !old.gone && old.html === html && (!old.isGhost || this.undoable.has(key))) {
        known.set(key, old);
        continue;
      }
      if (!old) newCount += 1;
      known.set(key, ticketOf(key, element, html));
      if (!old && !this.first) {
        element.classList.add("ticket--fresh");
        known.get(key).freshUntil = performance.now() + FRESH_FOR;
      }
    }
    this.served = [...known.keys()];
    for (const [key, undo] of [...this.undoable]) {
      const fresh = known.get(key);
      const old = this.known.get(key);
      if (fresh) this.offerUndo(known, old, fresh, undo);
      else if (old) known.set(key, this.ghost(old, null));
    }
    // What became ready on another screen goes to the end alone; what was bumped here doesn't follow it.
    const becameReady = (key) => isReady(known.get(key)) && !isReady(this.known.get(key));
    const before = this.order.filter((key) => known.has(key) && (this.undoable.has(key) || !becameReady(key)));
    this.known = known;
    this.order = this.inPlace(before);
    if (newCount && !this.first) this.onNew();
    this.first = false;
    this.show();
  }

  /** The server's order, except that what was bumped here stays behind the ticket that it was behind. */
  inPlace(before) {
    const stays = (key) => this.undoable.has(key) && (this.known.get(key).isGhost || isReady(this.known.get(key)));
    const order = this.served.filter((key) => !before.includes(key) || !stays(key));
    for (const [index, key] of before.entries()) {
      if (!stays(key)) continue;
      order.splice(index === 0 ? 0 : order.indexOf(before[index - 1]) + 1, 0, key);
    }
    return order;
  }

  show() {
    this.grid.show(this.order.map((key) => this.known.get(key)));
    this.onShow();
  }

  /** After a bump of a ticket (or of one item, `plu`): Undo stands in its place for 10 s. */
  bumped(key, plu) {
    this.forget(key);
    const from = this.known.get(key)?.plain.dataset.state;
    const timer = setTimeout(() => this.settle(key), UNDO_FOR);
    this.undoable.set(key, { plu, from, timer, done: false });
  }

  /** The server has done it: if a later board shows it undone, somebody took it back. */
  confirm(key) {
    const undo = this.undoable.get(key);
    if (undo) undo.done = true;
  }

  forget(key) {
    clearTimeout(this.undoable.get(key)?.timer);
    this.undoable.delete(key);
  }

  /** Undo has expired, or was used. */
  settle(key) {
    const before = this.order.filter((other) => other !== key);
    this.forget(key);
    const ticket = this.known.get(key);
    if (!ticket?.undo) return;
    if (ticket.gone) this.known.delete(key);
    else this.known.set(key, ticketOf(key, ticket.plain, ticket.html));
    this.order = this.inPlace(before);
    this.show();
  }

  /** The ticket as it was, dimmed, with Undo; `fresh` is the server's ticket of it now, if there is one. */
  ghost(old, fresh) {
    if (old.isGhost && !fresh === old.gone && (!fresh || fresh.html === old.html)) return old;
    const element = (old.original ?? old.plain).cloneNode(true);
    const state = element.querySelector(".state");
    element.classList.add("ticket--gone");
    element.classList.remove("ticket--fresh", "ticket--alarmed", "ticket--amended", "ticket--typed");
    if (fresh) {
      element.dataset.state = fresh.element.dataset.state;
      state.replaceWith(fresh.element.querySelector(".state").cloneNode(true));
    } else {
      state.replaceChildren(icon("ready"), this.words.done);
      state.className = "state state--ready";
    }
    element.querySelector(".timer").dataset.done = "1";
    for (const button of element.querySelectorAll("button.item__touch")) {
      const plain = document.createElement("div");
      plain.className = "item__touch";
      plain.append(...button.childNodes);
      button.replaceWith(plain);
    }
    this.undoFoot(element, old.key);
    element.dataset.undo = old.key;
    return {
      ...ticketOf(old.key, element, fresh?.html ?? old.html),
      plain: fresh?.plain ?? old.plain,
      original: old.original ?? old.plain,
      sizes: new Map(old.sizes),
      gone: !fresh,
      isGhost: true,
      undo: true,
    };
  }

  offerUndo(known, old, fresh, undo) {
    const { key } = fresh;
    if (fresh.undo) return;
    const { state } = fresh.element.dataset;
    if (!undo.plu) {
      // What was amended since must not hide behind the ticket as it was.
      const changes = fresh.element.querySelector(".changed");
      if (isReady(fresh) && state !== undo.from && !changes) known.set(key, this.ghost(old ?? fresh, fresh));
      else if (undo.done) this.forget(key);
      return;
    }
    const element = fresh.element.cloneNode(true);
    const item = [...element.querySelectorAll(".item")].find((each) => each.dataset.plu === undo.plu);
    if (!item || item.querySelector("button")) {
      if (undo.done) this.forget(key);
      return;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "item__touch item__touch--undo";
    button.dataset.undo = key;
    button.dataset.key = `item:${key}|${undo.plu}`;
    button.append(...item.querySelector(".item__touch").childNodes);
    // In the place of the quantity: beside the text it would make the row taller, and all below it jump.
    const word = document.createElement("span");
    word.className = "unseen";
    word.textContent = this.words.undo;
    const mark = document.createElement("span");
    mark.className = "item__quantity item__undo";
    mark.append(icon("undo"), word);
    button.querySelector(".item__quantity").replaceWith(mark);
    item.replaceChildren(button);
    known.set(key, { ...ticketOf(key, element, fresh.html), plain: fresh.plain, undo: true });
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

function isReady(ticket) {
  return ["ready", "picked-up"].includes(ticket.plain.dataset.state);
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
