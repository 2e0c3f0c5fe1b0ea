// The form of a flag: a value's name that is typed is at once what rules and the default may choose.
function rename(input) {
  const form = input.closest("[data-flag-form]");
  const names = [...form.querySelectorAll("[data-variant-name]")];
  const place = names.indexOf(input);
  for (const select of form.querySelectorAll("select[data-variants]")) {
    // The version's own value and a choice that is no value any more stand before the named ones.
    const option = select.options[select.options.length - names.length + place];
    if (!option) continue;
    option.value = input.value;
    option.textContent = input.value || "…";
  }
}

// After a step the keyboard goes on where the step was: a rule that moved takes it along.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const form = target.querySelector("[data-focus]");
  if (form) document.getElementById(form.dataset.focus)?.focus();
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-variant-name]")) rename(event.target);
});
