// What every chart has: a canvas that follows its size and the theme, a tooltip, and a button that saves the picture.
import { colour } from "./chart_colours.js";

// Draws what `options()` says, again when the size or the theme changes. Gives the chart, and how to let go of it.
export function show(canvas, options) {
  canvas.hidden = false;
  const chart = window.echarts.init(canvas, null, { renderer: "canvas" });
  const draw = () => chart.setOption(options(), true);
  draw();
  const sizes = new ResizeObserver(() => { chart.resize(); draw(); });
  const themes = new MutationObserver(draw);
  sizes.observe(canvas);
  themes.observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  const leave = () => { sizes.disconnect(); themes.disconnect(); chart.dispose(); };
  return { chart, leave };
}

// Rich text, because a tooltip of HTML needs inline styles, which the page refuses.
export function tooltip(formatter) {
  return {
    trigger: "axis",
    renderMode: "richText",
    backgroundColor: colour("--tblr-bg-surface"),
    borderColor: colour("--tblr-border-color"),
    textStyle: { color: colour("--tblr-body-color") },
    formatter,
  };
}

export function offerPicture(button, chart, name) {
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = chart.getDataURL({ pixelRatio: 2, backgroundColor: colour("--tblr-bg-surface") });
    link.download = `${name}.png`;
    link.click();
  });
}
