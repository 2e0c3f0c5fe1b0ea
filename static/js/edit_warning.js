// Asks once per sitting before the first edit of a draft that callers hear.
const dialog = document.getElementById("dialog");
const form = document.getElementById("editor");
const key = form ? `edits-heard:${form.dataset.agent}` : "";

form?.addEventListener("focusin", (event) => {
  const warning = document.querySelector("[data-edit-warning]");
  if (!warning || dialog.open || !event.target.matches("[data-path]") || sessionStorage.getItem(key)) return;
  const field = event.target;
  field.blur();
  dialog.replaceChildren(warning.content.cloneNode(true));
  dialog.showModal();
  const anyway = dialog.querySelector("[data-edit-anyway]");
  anyway.focus();
  anyway.addEventListener("click", () => {
    sessionStorage.setItem(key, "1");
    dialog.close();
    field.focus();
  });
});
