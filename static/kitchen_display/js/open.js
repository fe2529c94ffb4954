// Sends the form of a pairing link as soon as somebody looks at the page. A page that the browser loads ahead, or behind
// another one, waits until then; a program that only fetches links runs no script.

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
