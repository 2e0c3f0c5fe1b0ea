// The compare page's behaviours beyond links: next and previous change, unfolding in place, choosing sides at once.
const steps = document.querySelector("[data-steps]");
let current = -1;

function changes() {
  return [...document.querySelectorAll("#differences [data-change]")].filter((place) => place.offsetParent !== null);
}

function go(direction) {
  const places = changes();
  if (!places.length) return;
  if (document.activeElement?.matches?.("[data-change]")) current = places.indexOf(document.activeElement);
  current = Math.min(Math.max(current + direction, 0), places.length - 1);
  for (const place of document.querySelectorAll("[data-change].is-current")) place.classList.remove("is-current");
  places[current].classList.add("is-current");
  places[current].focus({ preventScroll: true });
  places[current].scrollIntoView({ block: "center", behavior: "instant" });
  steps.querySelector("[data-position]").textContent = `${current + 1} of ${places.length}`;
}

if (steps) {
  steps.hidden = false;
  steps.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (button) go(Number(button.dataset.step));
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, textarea, select, [contenteditable]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.getElementById("dialog").open) return;
    if (event.key === "n") go(1);
    if (event.key === "p") go(-1);
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-unfold]");
  const gap = link?.closest("tr");
  let row = gap?.nextElementSibling;
  if (!row?.hidden) return;
  event.preventDefault();
  const first = row;
  for (; row?.hidden; row = row.nextElementSibling) row.hidden = false;
  gap.remove();
  first.tabIndex = -1;
  first.focus({ preventScroll: true });
});

const sides = document.querySelector("[data-compare-sides]");
sides?.addEventListener("change", (event) => {
  if (event.target.matches("select")) sides.requestSubmit();
});
