// Draws a chart from the table behind it; the events beside it become lines that lead to what changed.
import { colour } from "./chart_colours.js";
import { offerPicture, show, tooltip } from "./chart_frame.js";

const SYMBOLS = ["circle", "triangle", "rect", "diamond", "pin", "arrow"];
const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3], [2, 6], [12, 4]];
const COLOURS = ["--tblr-primary", "--tblr-orange", "--tblr-green", "--tblr-purple", "--tblr-red", "--tblr-teal"];
const MOST_LABELS = 8;

const two = (number) => String(number).padStart(2, "0");
const length = (ms) => `${Math.floor(ms / 60000)}:${two(Math.floor(ms / 1000) % 60)}`;
const UNITS = {
  rate: (value) => `${(100 * value).toFixed(1)} %`,
  length: (value) => length(Math.round(value / 1000) * 1000),
  latency: (value) => `${Math.round(value)} ms`,
  score: (value) => value.toFixed(2),
  count: (value) => Math.round(value).toLocaleString("en"),
};

function read(section) {
  const table = section.querySelector("[data-chart-table]");
  const rows = [...table.tBodies[0].rows];
  const names = [...table.querySelectorAll("[data-series]")].map((head) => head.dataset.series);
  const times = rows.map((row) => Date.parse(row.cells[0].dataset.at));
  const labels = new Map(rows.map((row, at) => [times[at], row.cells[0].textContent]));
  const series = names.map((name, column) => ({
    name,
    points: rows.map((row, at) => {
      const { value, n } = row.cells[column + 1].dataset;
      return [times[at], value === undefined ? null : Number(value), Number(n ?? 0)];
    }),
  }));
  const events = [...section.querySelectorAll("[data-chart-events] li")].map((item) => ({
    at: Date.parse(item.dataset.at),
    words: item.querySelector("a").textContent,
    href: item.querySelector("a").href,
  }));
  return { series, events, labels };
}

function options(section, { series, events, labels }) {
  const style = getComputedStyle(document.documentElement);
  const unit = UNITS[section.dataset.kind];
  const text = colour("--tblr-body-color");
  const faint = colour("--tblr-border-color");
  const first = Math.min(...series.map((each) => each.points[0][0]));
  const seen = events.filter((event) => event.at >= first);
  const isCrowded = seen.length > MOST_LABELS || section.clientWidth < 600;
  const lines = seen.map((event) => ({ xAxis: event.at, name: event.words, href: event.href }));
  return {
    animation: false,
    aria: { enabled: true },
    color: COLOURS.map(colour),
    textStyle: { color: text, fontFamily: style.getPropertyValue("--tblr-font-sans-serif") || "sans-serif" },
    grid: { left: 8, right: 24, top: 64, bottom: 8, containLabel: true },
    legend: { top: 4, textStyle: { color: text }, itemWidth: 36 },
    tooltip: tooltip((points) => [
      labels.get(points[0].value[0]),
      ...points
        .filter((point) => point.value[1] !== null)
        .map((point) => `${point.seriesName}: ${unit(point.value[1])} of ${point.value[2].toLocaleString("en")} calls`),
    ].join("\n")),
    xAxis: { type: "time", axisLabel: { color: text, hideOverlap: true }, axisLine: { lineStyle: { color: faint } } },
    yAxis: {
      type: "value",
      scale: section.dataset.kind !== "count",
      axisLabel: { color: text, formatter: unit },
      splitLine: { lineStyle: { color: faint } },
    },
    series: series.map((each, at) => ({
      type: "line",
      name: each.name,
      data: each.points,
      symbol: SYMBOLS[at % SYMBOLS.length],
      symbolSize: 7,
      showSymbol: each.points.length <= 60,
      connectNulls: true,
      lineStyle: { width: 2, type: DASHES[at % DASHES.length] },
      markLine: at || !lines.length ? undefined : {
        symbol: ["none", "none"],
        silent: false,
        lineStyle: { type: "dashed", color: text, opacity: 0.5 },
        label: {
          show: true,
          color: text,
          formatter: (mark) => (isCrowded ? "▾" : mark.name),
          distance: 4,
        },
        emphasis: { label: { formatter: (mark) => mark.name } },
        data: spread(lines, isCrowded),
      },
    })),
  };
}

// Labels of events that stand close together go up and down in turn.
function spread(lines, isCrowded) {
  return lines.map((line, at) => ({ ...line, label: { offset: [0, isCrowded ? 0 : -14 * (at % 2)] } }));
}

function start(section) {
  const canvas = section.querySelector("[data-chart-canvas]");
  if (!canvas || !window.echarts) return;
  section.querySelector("[data-chart-details]").open = false;
  const buttons = section.querySelector("[data-chart-buttons]");
  buttons.hidden = false;
  const shown = read(section);
  const { chart } = show(canvas, () => options(section, shown));
  chart.on("click", (point) => {
    if (point.componentType === "markLine" && point.data.href) window.location.assign(point.data.href);
  });
  const name = section.querySelector("h2").textContent.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  offerPicture(buttons.querySelector("[data-chart-download]"), chart, name);
}

// The library is a deferred plain script in front of this module, so it is there.
document.querySelectorAll("[data-chart]").forEach(start);
