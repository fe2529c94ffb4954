// Shows at which stations each product is shown while a manager types rules. As in best_stations (configuration.py) the
// longest match wins, and an exact one counts `data-exact`.

function ownRules() {
  return [...document.querySelectorAll('input[name^="rules-"][name$="-plu"]')].flatMap((input) => {
    const form = input.name.slice(0, -"plu".length);
    const field = (name) => document.querySelector(`[name="${form}${name}"]`);
    if (!input.value || form.includes("__prefix__") || field("DELETE")?.checked) return [];
    return [{ plu: input.value, isPrefix: field("is_prefix")?.checked ?? true }];
  });
}

function score(plu, rule, exact) {
  if (rule.isPrefix) return plu.startsWith(rule.plu) ? rule.plu.length : 0;
  return plu === rule.plu ? exact : 0;
}

function show(table) {
  const rules = ownRules();
  for (const row of table.querySelectorAll("[data-plu]")) {
    const { plu, stations } = row.dataset;
    const others = Number(row.dataset.score);
    const own = Math.max(0, ...rules.map((rule) => score(plu, rule, Number(table.dataset.exact))));
    const names = [];
    if (own && own >= others) names.push(table.dataset.here);
    if (others && others >= own) names.push(stations);
    row.querySelector("[data-goes]").textContent = names.join(", ") || table.dataset.everywhere;
    row.classList.toggle("huuva-here", own > 0 && own >= others);
  }
}

addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("[data-products]");
  if (!table) return;
  show(table);
  for (const event of ["input", "change", "click", "formset:added", "formset:removed"]) {
    document.addEventListener(event, () => show(table));
  }
});
