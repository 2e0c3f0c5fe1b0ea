// Says in the header whether what was typed is saved.
const place = document.querySelector("[data-save-state]");
const words = document.querySelector("[data-save-text]");
const choose = document.querySelector("[data-choose]");
const ICON = { saved: "saved", saving: "saving", offline: "offline", refused: "refused", blocked: "refused", conflict: "refused" };

export function showSaveState(kind, text, title = "") {
  place.dataset.saveState = kind;
  if (words.textContent !== text) words.textContent = text;
  words.title = title;
  place.querySelectorAll("[data-save-icon]").forEach((icon) => { icon.hidden = icon.dataset.saveIcon !== ICON[kind]; });
  choose.hidden = kind !== "conflict";
}
