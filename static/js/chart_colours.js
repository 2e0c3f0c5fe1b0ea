// Colours of the page's theme, for what draws on a canvas.
// A custom property may hold var() or color-mix(): one drawn pixel tells the colour that a browser makes of it.
const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
export function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
  return `rgba(${red},${green},${blue},${alpha / 255})`;
}
