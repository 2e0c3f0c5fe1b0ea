// Draws how many times as often a canary fails, on a logarithmic axis, from the table behind it. The fragment comes by
// HTMX, and again whenever the judge said something new.
import { colour } from "./chart_colours.js";
import { offerPicture, show, tooltip } from "./chart_frame.js";

const SEEN = 3; // Powers of two from 1 that are drawn at most, either way; what is beyond touches the edge.
const log2 = (text) => (text === undefined ? null : Math.log2(Number(text)));
const times = (value) => `${Number((2 ** value).toPrecision(3))}×`;

function read(section) {
  return [...section.querySelector("[data-ratio-table]").tBodies[0].rows].map((row) => ({
    at: Date.parse(row.dataset.at),
    label: row.cells[0].textContent,
    value: log2(row.dataset.value),
    low: log2(row.dataset.low),
    high: log2(row.dataset.high),
    margin: log2(row.dataset.margin),
    words: [...row.cells].slice(2, 4).map((cell) => cell.textContent),
  }));
}

function options(rows) {
  const text = colour("--tblr-body-color");
  const faint = colour("--tblr-border-color");
  const known = rows.flatMap((row) => [row.value, row.low, row.high, row.margin]).filter((each) => each !== null);
  const least = Math.max(Math.floor(Math.min(-1, ...known)), -SEEN);
  const most = Math.min(Math.ceil(Math.max(1.6, ...known)), SEEN);
  const inside = (value, open) => Math.min(Math.max(value ?? open, least), most);
  const drawn = rows.filter((row) => row.value !== null);
  const line = (name, data, more) => ({ type: "line", name, data, symbol: "none", ...more });
  const edge = { lineStyle: { width: 1, type: "dashed", color: colour("--tblr-primary") }, stack: "band", stackStrategy: "all" };
  const margins = rows.filter((row) => row.margin !== null);
  return {
    animation: false,
    aria: { enabled: true },
    textStyle: { color: text },
    grid: { left: 8, right: 72, top: 16, bottom: 8, containLabel: true },
    tooltip: tooltip((points) => {
      const row = rows.find((each) => each.at === points[0].value[0]);
      return row ? `${row.label}\n${row.words[0]}× (95 %: ${row.words[1]})` : "";
    }),
    xAxis: { type: "time", axisLabel: { color: text, hideOverlap: true }, axisLine: { onZero: false, lineStyle: { color: faint } } },
    yAxis: {
      type: "value",
      min: least,
      max: most,
      interval: 1,
      axisLabel: { color: text, formatter: times },
      splitLine: { lineStyle: { color: faint, opacity: 0.5 } },
    },
    series: [
      line("low", drawn.map((row) => [row.at, inside(row.low, least)]), edge),
      line("high", drawn.map((row) => [row.at, inside(row.high, most) - inside(row.low, least)]), {
        ...edge,
        areaStyle: { color: colour("--tblr-primary"), opacity: 0.12 },
      }),
      line("ratio", drawn.map((row) => [row.at, inside(row.value)]), {
        lineStyle: { width: 2.5, color: colour("--tblr-primary") },
        itemStyle: { color: colour("--tblr-primary") },
        symbol: "circle",
        symbolSize: 6,
        showSymbol: drawn.length <= 40,
        markLine: {
          symbol: ["none", "none"],
          silent: true,
          lineStyle: { type: "solid", width: 1, color: text },
          label: { color: text, formatter: "as often" },
          data: [{ yAxis: 0 }],
        },
      }),
      line("margin", margins.map((row) => [row.at, inside(row.margin)]), {
        step: "end",
        lineStyle: { width: 2, type: "dotted", color: colour("--tblr-red") },
        itemStyle: { color: colour("--tblr-red") },
        endLabel: { show: true, color: text, formatter: (point) => `margin ${times(point.value[1])}` },
      }),
    ],
  };
}

function start(section) {
  const canvas = section.querySelector("[data-ratio-canvas]");
  if (!canvas.hidden || !window.echarts) return;
  const rows = read(section);
  section.querySelector("[data-ratio-details]").open = false;
  if (rows.every((row) => row.value === null)) {
    section.querySelector("[data-ratio-empty]").hidden = false;
    return;
  }
  const button = section.querySelector("[data-ratio-download]");
  button.hidden = false;
  const { chart, leave } = show(canvas, () => options(rows));
  offerPicture(button, chart, "rollout");
  section.addEventListener("htmx:beforeCleanupElement", leave, { once: true });
}

const startAll = () => document.querySelectorAll("[data-ratio-chart]").forEach(start);
document.addEventListener("htmx:load", startAll);
startAll();
