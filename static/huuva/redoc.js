const mount = document.getElementById("redoc");

window.Redoc.init(
  mount.dataset.url,
  { theme: { typography: { fontFamily: "sans-serif", headings: { fontFamily: "sans-serif" } } } },
  mount,
);
