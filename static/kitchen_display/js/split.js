// Splits a ticket into parts, one for each column or page, with lines that lead from one part to the next. Parts share
// the ticket's own items, so that a touch on them is a touch on the ticket.

/** The element for one place of packing.js, on a page (0 is the first). */
export function partOf(ticket, spot, page, words) {
  if (spot.last && spot.from === 0) return ticket.element;
  let part = ticket.element;
  if (spot.from > 0) {
    part = continuation(ticket, words);
    ticket.parts.push(part);
    part.querySelector(".items").append(...ticket.items.slice(spot.from, spot.to));
    if (spot.last) part.append(...ticket.ends);
  }
  if (!spot.last) {
    const line = spot.turns ? turnLine(ticket, spot.to, page + 1, words) : moreLine(words);
    ticket.lines.push(line);
    if (spot.from === 0) {
      for (const end of ticket.ends) end.remove();
      for (const item of ticket.items.slice(spot.to)) item.remove();
    }
    part.append(line);
  }
  return part;
}

/** Brings a ticket that was split back into one element. */
export function join(ticket) {
  for (const line of ticket.lines ?? []) line.remove();
  for (const part of ticket.parts ?? []) part.remove();
  if (ticket.lines?.length) {
    ticket.element.querySelector(".items").append(...ticket.items);
    ticket.element.append(...ticket.ends);
  }
  ticket.lines = [];
  ticket.parts = [];
}

export function continuation(ticket, words) {
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
  from.textContent = words.continued;
  head.append(from);
  const items = document.createElement("ul");
  items.className = "items";
  part.append(head, items);
  return part;
}

export function moreLine(words) {
  const line = document.createElement("p");
  line.className = "ticket__more";
  line.textContent = `${words.continues} →`;
  return line;
}

/** Under a part that goes on on another page: how many items are there, and a touch that turns to it. */
export function turnLine(ticket, shown, page, words) {
  const line = document.createElement("button");
  line.type = "button";
  line.className = "ticket__turn";
  line.dataset.turn = 1;
  line.dataset.key = `turn:${ticket.key}`;
  line.textContent = `+ ${ticket.items.length - shown} · ${words.page} ${page + 1} →`;
  return line;
}
