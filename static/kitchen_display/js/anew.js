// A page is loaded anew when what it was made of has changed: it is never left, so nobody else would do that.

const KEPT = "huuva:settings";

/** Loaded with what it was loaded anew for: the next change counts again. */
export function loaded(present) {
  if (sessionStorage.getItem(KEPT) === present.dataset.settings) sessionStorage.removeItem(KEPT);
}

/**
 * Whether the page must be loaded anew for this board: its settings were changed, or the server was upgraded. Not twice
 * for the same: while web answers by turns in two versions, or the page comes out of a cache, the old page does.
 */
export function loadsAnew(fresh, present) {
  const wanted = fresh.dataset.settings;
  if (wanted === present.dataset.settings || sessionStorage.getItem(KEPT) === wanted) return false;
  sessionStorage.setItem(KEPT, wanted);
  location.reload();
  return true;
}
