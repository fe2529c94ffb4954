const mount = document.getElementById("redoc");

// ReDoc's footer would load its maker's logo from another host, and has no setting against it. React sets an image's
// address in both ways.
const ours = (address) => new URL(address, location.href).origin === location.origin;
const image = HTMLImageElement.prototype;
const { get, set } = Object.getOwnPropertyDescriptor(image, "src");
Object.defineProperty(image, "src", {
  get,
  set(address) {
    if (ours(address)) set.call(this, address);
  },
});
image.setAttribute = function (name, value) {
  if (name !== "src" || ours(value)) Element.prototype.setAttribute.call(this, name, value);
};

window.Redoc.init(
  mount.dataset.url,
  { theme: { typography: { fontFamily: "sans-serif", headings: { fontFamily: "sans-serif" } } } },
  mount,
);
