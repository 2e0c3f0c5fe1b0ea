// Asks once per sitting before the first edit of a draft that callers hear: a field that gets the focus, a list's button.
const dialog = document.getElementById("dialog");
const form = document.getElementById("editor");
const key = form ? `edits-heard:${form.dataset.agent}` : "";
const FIELDS = "[data-path], [data-new], [data-rename]";

function ask(control) {
  const warning = document.querySelector("[data-edit-warning]");
  if (!warning || dialog.open || sessionStorage.getItem(key)) return false;
  control.blur();
  dialog.replaceChildren(warning.content.cloneNode(true));
  dialog.showModal();
  dialog.querySelector("[data-edit-anyway]").addEventListener("click", () => {
    sessionStorage.setItem(key, "1");
    edit(control);
  });
  dialog.querySelector("[data-edit-later]").addEventListener("click", () => {
    warning.remove();
    document.querySelector("[data-edits-wait]").click();
    edit(control);
  });
  return true;
}

function edit(control) {
  dialog.close();
  control.focus();
}

form?.addEventListener("focusin", ({ target }) => {
  if (target.matches(FIELDS)) ask(target);
});
form?.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=action]");
  if (button && ask(button)) event.preventDefault();
}, { capture: true });
// The warning comes after the page; somebody may be in a field already.
document.addEventListener("htmx:afterSettle", () => {
  const focused = document.activeElement;
  if (form?.contains(focused) && focused.matches(FIELDS)) ask(focused);
});
