// Draws the dashboard's charts with Chart.js, which unfold's pages load, from the JSON beside each canvas. The table
// below a chart has the same rows; nothing is calculated here.

const LANGUAGE = document.documentElement.lang || "en";
const LIVE_MS = 60_000;
const AXIS = {
  count: new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1 }),
  share: new Intl.NumberFormat(LANGUAGE, { style: "percent", maximumFractionDigits: 1 }),
  seconds: new Intl.NumberFormat(LANGUAGE, { style: "unit", unit: "minute", maximumFractionDigits: 1 }),
};
AXIS.decimal = AXIS.count;
// Durations are drawn in minutes, so that the axis has whole ones.
const toDrawn = (form, value) => (form === "seconds" && value !== null ? value / 60 : value);
const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const charts = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function dataset(series, kind) {
  const tone = colour(`huuva-chart-${series.tone}`);
  const line = series.line || kind === "lines";
  return {
    label: series.title,
    data: series.values.map((value) => toDrawn(series.form, value)),
    texts: series.texts,
    type: line ? "line" : "bar",
    order: line ? 0 : 1,
    backgroundColor: tone,
    borderColor: tone,
    pointStyle: line ? "circle" : "rect",
    borderWidth: line ? 2 : 0,
    borderDash: line && series.tone === "before" ? [5, 4] : [],
    borderRadius: 2,
    pointRadius: line && series.values.length < 40 ? 2 : 0,
    pointHitRadius: 8,
    spanGaps: false,
    maxBarThickness: 34,
  };
}

// The legend shows a line beside the name of a line, a box beside that of bars.
function generateLabels(chart) {
  return window.Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => {
    const isLine = chart.data.datasets[label.datasetIndex].type === "line";
    return { ...label, pointStyle: isLine ? "line" : "rect", lineWidth: isLine ? 2 : 0 };
  });
}

function options(data) {
  const across = data.kind === "across";
  const stacked = data.kind === "stacked";
  const form = data.series[0].form;
  const text = colour(document.documentElement.classList.contains("dark") ? "color-base-300" : "color-base-600");
  const grid = colour("huuva-chart-grid");
  const names = {
    stacked,
    grid: { display: false },
    border: { color: grid },
    ticks: {
      color: text,
      autoSkip: !across,
      maxRotation: 0,
      autoSkipPadding: 12,
      callback: (_value, index) => shortened(data.rows[index], across ? 22 : 14),
    },
  };
  const numbers = {
    stacked,
    beginAtZero: true,
    grid: { color: grid },
    border: { display: false },
    ticks: { color: text, maxTicksLimit: 6, callback: (value) => AXIS[form].format(value) },
  };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    indexAxis: across ? "y" : "x",
    interaction: { mode: "index", intersect: false, axis: across ? "y" : "x" },
    scales: across ? { x: numbers, y: names } : { x: names, y: numbers },
    plugins: {
      legend: {
        display: data.series.length > 1,
        position: "bottom",
        labels: { color: text, boxWidth: 24, boxHeight: 10, usePointStyle: true, generateLabels },
      },
      tooltip: {
        callbacks: {
          title: (items) => data.rows[items[0].dataIndex],
          label: (item) => `${item.dataset.label}: ${item.dataset.texts[item.dataIndex]}`,
        },
      },
    },
  };
}

function draw(canvas) {
  const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  if (data.kind === "across") {
    const height = 60 + data.rows.length * (data.series.length > 1 ? 36 : 26);
    canvas.parentElement.style.height = `${Math.max(height, 140)}px`;
  }
  charts.get(canvas)?.destroy();
  charts.set(
    canvas,
    new window.Chart(canvas, {
      type: data.kind === "lines" ? "line" : "bar",
      data: { labels: data.rows, datasets: data.series.map((series) => dataset(series, data.kind)) },
      options: options(data),
    }),
  );
  canvas.dataset.drawn = "";
}

function drawAll() {
  document.querySelectorAll("canvas[data-chart]").forEach(draw);
}

// Keeps the open orders and the age of the figures current while the page is visible.
async function refreshLive() {
  if (document.hidden) return;
  const response = await fetch(location.href, { headers: { Accept: "text/html", "X-Requested-With": "fetch" } }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const section of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(section.id);
    if (fresh && !section.contains(document.activeElement)) section.replaceWith(document.adoptNode(fresh));
  }
}

const filters = document.querySelector("[data-filters]");
filters?.addEventListener("change", (event) => {
  if (event.target.matches("select")) filters.requestSubmit();
});

drawAll();
// A chart's colours are painted: when the page's change, it must be drawn again.
let dark = document.documentElement.classList.contains("dark");
new MutationObserver(() => {
  if (document.documentElement.classList.contains("dark") === dark) return;
  dark = !dark;
  drawAll();
}).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
setInterval(refreshLive, LIVE_MS);
