// Submits the form of a pairing link as soon as the page is visible. A page that the browser prerenders or opens in the
// background waits until then; a program that only fetches links runs no script.

const form = document.querySelector("[data-open]");
let sent = false;

function open() {
  if (sent || document.prerendering || document.visibilityState !== "visible") return;
  sent = true;
  form.requestSubmit();
}

document.addEventListener("prerenderingchange", open);
document.addEventListener("visibilitychange", open);
open();
