// Numpad and bump bar: number + Enter bumps, 0 recalls, arrows and + − turn pages, * opens the recall list, / all-day.

const FORGET_AFTER = 4000;
const BOUNCE = 700; // worn keys of bump bars send twice

export function startKeys({ grid, tickets, actions, panels, turn, showMessage, page }) {
  const box = document.querySelector("[data-typed]");
  const shown = box.querySelector("[data-typed-number]");
  let typed = "";
  let timer = 0;
  let enteredAt = -Infinity;

  function type(text) {
    typed = text;
    clearTimeout(timer);
    box.hidden = !typed;
    shown.textContent = typed;
    for (const marked of document.querySelectorAll(".ticket--typed")) marked.classList.remove("ticket--typed");
    if (!typed) return;
    tickets.byNumber(typed)?.element.classList.add("ticket--typed");
    timer = setTimeout(() => type(""), FORGET_AFTER);
  }

  function bump(number) {
    const ticket = tickets.byNumber(number);
    if (!ticket) return showMessage(page.wordNoTicket.replace("%s", number), true);
    const where = grid.pageOf(ticket.key);
    // Nothing is bumped unseen: first its page is shown, then the same number bumps.
    if (where >= 0 && where !== grid.page) return turn(where - grid.page);
    const foot = ticket.ends.map((end) => end.querySelector(".foot")).find(Boolean);
    if (!foot || foot.dataset.undo !== undefined) return undefined;
    return actions.press(foot, ticket);
  }

  const turns = { ArrowLeft: -1, PageUp: -1, "-": -1, ArrowRight: 1, PageDown: 1, "+": 1 };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input, select, textarea") || document.querySelector("dialog[open]")) return;
    const { key } = event;
    // By its place on a numpad: without Num Lock its keys would be arrows.
    const digit = /^Numpad([0-9])$/.exec(event.code)?.[1] ?? (/^[0-9]$/.test(key) ? key : "");
    if (digit) {
      event.preventDefault();
      if (event.repeat) return;
      if (digit === "0" && !typed) actions.recallLatest();
      else if (typed.length < 3) type(typed + digit);
    } else if (key === "Enter" && typed) {
      event.preventDefault();
      enteredAt = performance.now();
      const number = typed;
      type("");
      bump(number);
    } else if (key === "Enter" && (event.repeat || performance.now() - enteredAt < BOUNCE)) {
      event.preventDefault(); // A key held down is one press, and so is one that bounces, also on a focused button.
    } else if (key === "Escape" || key === "Backspace") {
      type(key === "Escape" ? "" : typed.slice(0, -1));
    } else if (key in turns) {
      event.preventDefault();
      turn(turns[key]);
    } else if (key === "Home") {
      turn(-grid.page);
    } else if (key === "*") {
      panels.recalls();
    } else if (key === "/") {
      event.preventDefault();
      panels.open("allday");
    }
  });
}
