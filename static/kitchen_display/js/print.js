// The paper page: a button that prints. Without a script the browser's own menu does.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
