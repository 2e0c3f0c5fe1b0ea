// The shares of an A/B test: a hint of what is missing and a bar. A share moves only when its owner is told to take the rest.
const WHOLE = 100_000;

function buckets(text) {
  const found = /^\s*(\d{1,3})(?:[.,](\d{1,3}))?\s*$/.exec(text);
  return found ? Number(found[1]) * 1000 + Number((found[2] || "").padEnd(3, "0")) : null;
}

function percent(count) {
  return (count / 1000).toFixed(3).replace(/\.?0+$/, "");
}

function show(form) {
  const inputs = [...form.querySelectorAll("[data-share]")];
  const shares = inputs.map((input) => buckets(input.value));
  const rest = WHOLE - shares.reduce((sum, share) => sum + (share ?? 0), 0);
  const hint = form.querySelector("[data-share-hint]");
  if (hint) {
    hint.textContent = rest === 0 ? "100 %" : rest > 0 ? `${percent(rest)} % are still free` : `${percent(-rest)} % are too much`;
    hint.classList.toggle("text-danger-emphasis", rest !== 0);
  }
  for (const input of inputs) {
    const button = input.closest(".route-row").querySelector("[data-take-rest]");
    if (button) button.hidden = rest === 0 || (buckets(input.value) ?? 0) + rest < 0;
  }
  draw(form.querySelector("[data-share-bar]"), shares);
}

function draw(bar, shares) {
  if (!bar) return;
  bar.replaceChildren();
  let at = 0;
  for (const share of shares) {
    const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    part.setAttribute("x", `${at / 1000}%`);
    part.setAttribute("width", `${(share ?? 0) / 1000}%`);
    part.setAttribute("height", "20");
    bar.append(part);
    at += share ?? 0;
  }
}

function takeRest(form, button) {
  const input = button.closest(".route-row").querySelector("[data-share]");
  const others = [...form.querySelectorAll("[data-share]")].filter((each) => each !== input);
  input.value = percent(WHOLE - others.reduce((sum, each) => sum + (buckets(each.value) ?? 0), 0));
  show(form);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-route-form]");
  if (form && event.target.matches("[data-share]")) show(form);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-take-rest]");
  if (button) takeRest(button.closest("[data-route-form]"), button);
});
function showAll() {
  document.querySelectorAll("[data-route-form]").forEach(show);
}
document.addEventListener("htmx:afterSettle", showAll);
showAll();
