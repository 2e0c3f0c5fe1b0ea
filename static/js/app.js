// The interface's few behaviours that HTML and HTMX do not have: dialog and panel hosts, toasts, the menu on small screens.
const dialog = document.getElementById("dialog");
const panel = document.getElementById("panel");
let panelOpener = null;

function openDialogWhenFilled() {
  const isFilled = dialog.firstElementChild !== null;
  if (isFilled && !dialog.open) {
    dialog.showModal();
    (dialog.querySelector("[autofocus]") || dialog.querySelector("input:not([type=hidden]), button"))?.focus();
  }
  if (!isFilled && dialog.open) dialog.close();
}

function closePanel() {
  panel.replaceChildren();
  panel.classList.remove("show");
  panelOpener?.focus();
  panelOpener = null;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target === panel && event.detail.elt.closest("#panel") === null) panelOpener = event.detail.elt;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === dialog) openDialogWhenFilled();
  if (event.detail.target === panel) {
    panel.classList.toggle("show", panel.firstElementChild !== null);
    if (!panel.contains(document.activeElement)) (panel.querySelector("[autofocus]") || panel).focus();
  }
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // A failure that is a dialog itself (a connection lost while publishing) is shown; a toast would lie below it.
  if (event.detail.target !== dialog || !event.detail.xhr.getResponseHeader("X-Shows-Itself")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});
window.addEventListener("hashchange", () => dialog.close()); // A link of the dialog led to a field of this page.
dialog.addEventListener("close", () => dialog.replaceChildren());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-dialog-close], [data-panel-close], [data-toast-close], [data-toggle]");
  if (!closer) return;
  if (closer.matches("[data-dialog-close]") && dialog.open) { event.preventDefault(); dialog.close(); }
  if (closer.matches("[data-panel-close]") && panel.firstElementChild) { event.preventDefault(); closePanel(); }
  if (closer.matches("[data-toast-close]")) closer.closest("[data-toast]").remove();
  if (closer.matches("[data-toggle]")) {
    const shown = document.querySelector(closer.dataset.toggle).classList.toggle("show");
    closer.setAttribute("aria-expanded", String(shown));
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !dialog.open && panel.classList.contains("show")) closePanel();
  if ((event.ctrlKey || event.metaKey) && event.shiftKey && event.code === "KeyP") {
    const publish = document.querySelector("[data-shortcut=publish]");
    if (publish && !dialog.open) { event.preventDefault(); publish.click(); }
  }
});

// Menus are details: a click elsewhere or on one of their links closes them, and so does Escape.
document.addEventListener("click", ({ target }) => {
  document.querySelectorAll("[data-menu][open]").forEach((menu) => { if (!menu.contains(target) || target.closest("a")) menu.removeAttribute("open"); });
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("[data-menu][open]");
  if (menu) { menu.removeAttribute("open"); menu.querySelector("summary").focus(); }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.querySelector(button.dataset.copy);
  field.select();
  await navigator.clipboard.writeText(field.value);
  button.textContent = "Copied";
});

const TOAST_MS = 8000;
function expire(toast) {
  setTimeout(function check() {
    if (toast.matches(":hover, :focus-within")) setTimeout(check, TOAST_MS);
    else toast.remove();
  }, TOAST_MS);
}
new MutationObserver((records) => {
  for (const record of records) for (const node of record.addedNodes) {
    if (node.nodeType === 1) (node.matches("[data-toast]") ? [node] : node.querySelectorAll("[data-toast]")).forEach(expire);
  }
}).observe(document.getElementById("toasts"), { childList: true });

document.addEventListener("htmx:responseError", (event) => showProblem(problemOf(event.detail.xhr)));
document.addEventListener("htmx:sendError", () => showProblem("The server cannot be reached. Nothing was changed; try again."));

function problemOf(xhr) {
  if (xhr.status === 403) return xhr.getResponseHeader("X-Problem") || "Your role does not allow this.";
  if (xhr.status === 404) return "This does not exist any more.";
  return "The server could not do this. Nothing was changed; try again.";
}

export function showProblem(text) {
  const toast = document.createElement("div");
  toast.className = "toast show";
  toast.dataset.toast = "";
  const body = document.createElement("div");
  body.className = "toast-body";
  body.textContent = text;
  toast.append(body);
  document.getElementById("toasts").append(toast);
}
