// Reads and writes the editor's controls, and shows at each of them what the server says about it.
export const editor = document.getElementById("editor");
const all = (selector) => editor.querySelectorAll(selector);

export function controlAt(path) {
  return [...all("[data-path]")].find((control) => control.dataset.path === path);
}

export function fieldAt(path) {
  return [...all("[data-field]")].find((field) => field.dataset.field === path);
}

export function typedIn(control) {
  return control.dataset.kind === "switch" ? String(control.checked) : control.value;
}

// Write a text into a control; the caret stays where it was.
export function write(control, text) {
  if (typedIn(control) === text) return;
  if (control.dataset.kind === "switch") control.checked = text === "true";
  else {
    const { selectionStart, selectionEnd } = control;
    control.value = text;
    if (document.activeElement === control && selectionStart !== undefined && control.tagName !== "SELECT") control.setSelectionRange(selectionStart, selectionEnd);
  }
  control.dispatchEvent(new CustomEvent("written", { bubbles: true }));
}

export function showErrors(path, errors) {
  const field = fieldAt(path);
  if (!field) return;
  const place = field.querySelector("[data-error]");
  place.replaceChildren(...errors.slice(0, 10).map(sentence));
  place.hidden = errors.length === 0;
  const control = field.querySelector("[data-path]");
  control.classList.toggle("is-invalid", errors.length > 0);
  if (errors.length) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
  control.dispatchEvent(new CustomEvent("errors", { bubbles: true, detail: errors }));
}

function sentence({ message, line }) {
  const row = document.createElement("div");
  if (line) {
    const jump = document.createElement("button");
    Object.assign(jump, { type: "button", className: "btn btn-sm btn-link p-0 me-1", textContent: `Line ${line}:` });
    jump.dataset.line = line;
    row.append(jump);
  }
  row.append(line ? message.replace(/^Line \d+, /, "") : message);
  return row;
}

export function showNote(path, words) {
  const note = fieldAt(path)?.querySelector("[data-note]");
  if (!note) return;
  note.textContent = words;
  note.hidden = !words;
}

// Marks, problems and the header, from what the server says about the draft.
export function showState(state) {
  const changed = new Set(state.changed_paths);
  all("[data-mark]").forEach((mark) => { mark.hidden = !changed.has(mark.dataset.mark); });
  all("[data-latest]").forEach((latest) => { latest.textContent = `V${state.latest}`; });
  document.querySelectorAll("[data-tab-mark]").forEach((mark) => { mark.hidden = !state.changed_tabs.includes(mark.dataset.tabMark); });
  all("[data-problems]").forEach((list) => {
    const path = list.closest("[data-field]").dataset.field;
    const own = state.problems.filter((problem) => problem.path === path);
    list.replaceChildren(...own.map(problemRow));
    list.hidden = own.length === 0;
  });
  editor.elements.base.value = state.digest;
  showHeader(state);
}

function problemRow(problem) {
  const row = document.createElement("li");
  row.className = problem.is_blocking ? "text-danger-emphasis" : "text-warning-emphasis";
  row.textContent = problem.message;
  return row;
}

function showHeader(state) {
  const part = (name) => document.querySelector(`[data-${name}]`);
  part("agent-name").textContent = state.name;
  Object.assign(part("live"), { hidden: !state.live, textContent: `Live V${state.live}` });
  const isShown = state.latest > 0 && state.changed_paths.length > 0;
  Object.assign(part("difference"), { hidden: !isShown, href: state.compare, textContent: state.difference });
  Object.assign(part("same"), { hidden: isShown, textContent: state.difference });
  part("version-count").textContent = state.latest;
}
