// Waits until a manager has entered the code, then goes on to the board.

const card = document.querySelector("[data-status]");
const ASK_EVERY = 2000;

async function ask() {
  try {
    const answer = await fetch(card.dataset.status, { headers: { "X-Requested-With": "fetch" }, cache: "no-store" });
    // The answer is where the screen belongs: a pickup board is not at the address that this page came from.
    if (answer.status === 200) return location.replace((await answer.text()) || card.dataset.home);
    if (answer.status === 410) return location.reload(); // The code has ended: the page brings the next one.
  } catch (error) {
    console.info("Not answered:", error.message);
  }
  return setTimeout(ask, ASK_EVERY);
}

setTimeout(ask, ASK_EVERY);
