// The buttons of the editor's form: each becomes an edit, instead of sending the whole form.
import { editor } from "./fields.js";

// The edit that a button stands for: `remove tools[crm]`, `add tools`, `up tools[crm]`, `take_back voice.voice`.
export function editOf(button) {
  const [, action, path] = button.value.match(/^(\S+) ([^]*)$/);
  if (action === "up" || action === "down") return moved(button, action === "up" ? -1 : 1);
  if (action === "add") {
    const input = button.parentElement.querySelector("[data-new]");
    return { op: "add", path, value: input.value, isStructural: true };
  }
  if (action === "rename") {
    const input = button.parentElement.querySelector("[data-rename]");
    return { op: "set", path: input.dataset.rename, value: input.value, isStructural: true };
  }
  return { op: action, path, value: null, isStructural: true };
}

function moved(button, by) {
  const list = button.closest("[data-list]");
  const keys = [...list.querySelectorAll(":scope > [data-item]")].map((item) => item.dataset.key);
  const place = keys.indexOf(button.closest("[data-item]").dataset.key);
  const other = Math.min(Math.max(place + by, 0), keys.length - 1);
  [keys[place], keys[other]] = [keys[other], keys[place]];
  return { op: "order", path: list.dataset.list, value: keys, isStructural: true };
}

// Say at the list or item why something was not done.
export function showActionErrors(edit, errors) {
  const places = [...editor.querySelectorAll("[data-list-error]")];
  const place = places.find((other) => other.dataset.listError === edit.path) || places.find((other) => edit.path.startsWith(other.dataset.listError));
  if (!place) return;
  place.textContent = errors[0].message;
  place.hidden = false;
}
