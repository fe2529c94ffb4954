// Bumps, acknowledgements and undo by touch. A touch counts once, and only for what was there when the finger came down.

const DOUBLE_TOUCH = 700;
const TOUCHABLE = ".ticket button:not([data-turn]), .ticket[data-undo]"; // a bumped ticket is one Undo as a whole

export class Actions {
  constructor({ page, token, live, parse, tickets, showMessage }) {
    Object.assign(this, { page, token, live, parse, tickets, showMessage });
    this.last = { key: "", at: -Infinity };
    document.addEventListener("pointerdown", (event) => this.remember(event), { capture: true, passive: true });
    document.addEventListener("click", (event) => this.click(event));
    document.addEventListener("submit", (event) => {
      if (event.target.matches(".ticket form")) event.preventDefault();
    });
  }

  remember(event) {
    this.down = { key: keyOf(event.target.closest?.(TOUCHABLE)) };
  }

  click(event) {
    const button = event.target.closest(TOUCHABLE);
    if (!button) return undefined;
    event.preventDefault();
    const key = keyOf(button);
    if (event.detail > 0) {
      if (this.down && this.down.key !== key) return undefined; // It came under the finger only after the touch.
      const again = performance.now() - this.last.at < DOUBLE_TOUCH;
      // What has just moved to this place isn't what was meant, nor by the second of a double touch.
      if (this.tickets.grid.wasOther(event.clientX, event.clientY, key)) {
        return again ? undefined : this.showMessage(this.page.wordMoved, true);
      }
      // A second touch on the same thing is one touch; elsewhere, on what did not move, it is meant.
      if (again && this.last.key === key) return undefined;
    }
    this.last = { key, at: performance.now() };
    return this.press(button);
  }

  /** As if it were touched; `ticket` is needed where the button is on another page. */
  press(button, ticket = this.tickets.get(button.closest(".ticket").dataset.order)) {
    if (!ticket) return;
    if (button.dataset.undo !== undefined) return this.undo(ticket.key);
    return this.send(ticket, button);
  }

  async send(ticket, button) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const form = ticket.element.querySelector("form");
    const fields = new URLSearchParams(new FormData(form));
    if (button.name) fields.set(button.name, button.value);
    const acknowledge = button.getAttribute("formaction");
    const isBump = acknowledge === null;
    if (isBump) this.tickets.bumped(ticket.key, fields.get("plu"));
    const done = await this.post(acknowledge ?? form.getAttribute("action"), fields);
    button.removeAttribute("aria-busy");
    if (!isBump) return;
    if (done) this.tickets.confirm(ticket.key);
    else this.tickets.settle(ticket.key);
  }

  async undo(key) {
    const fields = new URLSearchParams({ order: key });
    const undo = this.tickets.undoable.get(key);
    if (!undo || undo.asked) return;
    if (undo.plu) fields.set("plu", undo.plu);
    undo.asked = true;
    const done = await this.post(this.page.recall, fields);
    undo.asked = false;
    if (done && this.tickets.undoable.get(key) === undo) this.tickets.settle(key);
  }

  /** Takes back the latest thing that this screen bumped, as `0` does on a bump bar. */
  async recallLatest() {
    const latest = [...this.tickets.undoable.keys()].at(-1);
    if (latest !== undefined) return this.undo(latest);
    const done = await this.post(this.page.undo, new URLSearchParams({ any: "1" }));
    if (done) this.showMessage(this.page.wordRecalled);
  }

  /** Posts a form; the answer is the fresh board. Returns whether the server did it. */
  async post(url, fields) {
    let refusal = "";
    try {
      await this.live.act(async () => {
        const response = await sendForm(url, fields, this.token());
        if (![400, 404, 409].includes(response.status)) return this.parse(response);
        refusal = await textOf(response);
        return null;
      });
      if (!refusal) return true;
    } catch (error) {
      console.info("Not sent:", error.message);
      refusal = this.page.wordFailed;
    }
    this.showMessage(refusal, true);
    this.live.refresh();
    return false;
  }
}

/** Posts a form as the page's script; the answer to it is a board. */
function sendForm(url, fields, token) {
  fields.set("csrfmiddlewaretoken", token);
  return fetch(url, {
    method: "POST",
    body: fields,
    headers: { "X-Requested-With": "fetch", Accept: "text/html" },
    signal: AbortSignal.timeout(8000),
  });
}

function keyOf(touchable) {
  if (!touchable) return null;
  return touchable.dataset.key ?? `foot:${touchable.dataset.undo}`;
}

async function textOf(response) {
  const text = await response.text();
  if ((response.headers.get("Content-Type") ?? "").includes("json")) return JSON.parse(text).detail;
  return text.includes("<") ? new DOMParser().parseFromString(text, "text/html").body.textContent.trim() : text;
}
