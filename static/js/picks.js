// Lists whose rows can be ticked to be compared: the button waits for exactly two, a third tick releases the oldest one.
const order = [];

function ticksOf(form) {
  return [...document.querySelectorAll(`input[name=pick][form=${form.id}]:checked`)];
}

function refresh() {
  for (const form of document.querySelectorAll("form[data-picks]")) {
    form.querySelector("button").disabled = ticksOf(form).length !== Number(form.dataset.picks);
  }
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("input[name=pick]")) return;
  const form = event.target.form;
  if (event.target.checked) order.push(event.target);
  const ticked = ticksOf(form);
  const oldest = order.find((tick) => tick !== event.target && ticked.includes(tick));
  if (ticked.length > Number(form.dataset.picks) && oldest) {
    oldest.checked = false;
    order.splice(order.indexOf(oldest), 1);
  }
  refresh();
});
document.addEventListener("htmx:afterSwap", refresh);
refresh();
