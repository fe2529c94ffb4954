// Reloads a page when what it was made of has changed. Nobody else would: a wall's page is never left.

const RELOADED_FOR = "huuva:settings"; // in the session: the version that the page was reloaded for

/** The page has the version that it was reloaded for: the next change counts again. */
export function forgetReload({ dataset }) {
  if (sessionStorage.getItem(RELOADED_FOR) === dataset.settings) sessionStorage.removeItem(RELOADED_FOR);
}

/**
 * Reloads the page if this board is for another version of it: its settings were changed, or the server was upgraded.
 * Not twice for the same version: the old page goes on while web answers in two versions by turns, or the page comes out
 * of a cache. Returns whether it reloads.
 */
export function reloadIfChanged(fresh, present) {
  const version = fresh.dataset.settings;
  if (version === present.dataset.settings || sessionStorage.getItem(RELOADED_FOR) === version) return false;
  sessionStorage.setItem(RELOADED_FOR, version);
  location.reload();
  return true;
}
