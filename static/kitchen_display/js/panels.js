// What opens over the wall: all-day counts, the recall list, and the settings behind a long press.

const HOLD = 900;

export function openPanels({ page, actions, showMessage, sounds }) {
  const open = (id) => {
    const panel = document.getElementById(id);
    if (!panel.open) panel.showModal();
    return panel;
  };

  for (const panel of document.querySelectorAll("dialog")) {
    panel.addEventListener("click", (event) => {
      if (event.target === panel || event.target.closest("[data-close]")) panel.close();
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-open-panel]");
    if (button) open(button.dataset.openPanel);
  });

  // --- recall
  const list = document.querySelector("[data-recall-list]");
  async function recalls() {
    const panel = open("recalls");
    try {
      const response = await fetch(page.recalls, { headers: { "X-Requested-With": "fetch" }, cache: "no-store" });
      if (!response.ok) throw new Error(`The recall list answered ${response.status}`);
      list.innerHTML = await response.text();
      list.querySelector("button")?.focus();
    } catch (error) {
      console.info(error.message);
      panel.close();
      showMessage(page.wordFailed, true);
    }
  }
  document.querySelector("[data-open-recalls]")?.addEventListener("click", (event) => {
    event.preventDefault();
    recalls();
  });
  // --- recall and start now: plain forms, whose answer is the fresh board
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.closest(".recall")) return;
    event.preventDefault();
    const isRecall = Boolean(form.closest("#recalls"));
    form.querySelector("button").disabled = true;
    form.closest("dialog").close();
    const done = await actions.post(form.action, new URLSearchParams(new FormData(form)));
    if (done && isRecall) showMessage(page.wordRecalled);
  });

  // --- settings: a touch in passing opens nothing
  for (const button of document.querySelectorAll("[data-hold]")) {
    let timer = 0;
    const stop = () => {
      clearTimeout(timer);
      delete button.dataset.held;
    };
    button.addEventListener("pointerdown", () => {
      button.dataset.held = "1";
      timer = setTimeout(() => {
        stop();
        open(button.dataset.hold);
      }, HOLD);
    });
    for (const name of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(name, stop);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    // Enter on the focused button is no accident.
    button.addEventListener("click", (event) => {
      if (event.detail === 0) open(button.dataset.hold);
    });
  }
  document.querySelector("[data-try-sounds]")?.addEventListener("click", async () => {
    await sounds.unlock();
    for (const [index, name] of ["new", "cancelled", "amended", "late"].entries()) setTimeout(() => sounds.play(name), index * 1400);
  });

  return { open, recalls };
}
