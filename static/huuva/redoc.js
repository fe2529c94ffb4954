const mount = document.getElementById("redoc");

// ReDoc's footer would load its maker's logo from another host, and offers no setting against it.
const set = HTMLImageElement.prototype.setAttribute;
HTMLImageElement.prototype.setAttribute = function (name, value) {
  if (name !== "src" || new URL(value, location.href).origin === location.origin) set.call(this, name, value);
};

window.Redoc.init(
  mount.dataset.url,
  { theme: { typography: { fontFamily: "sans-serif", headings: { fontFamily: "sans-serif" } } } },
  mount,
);
