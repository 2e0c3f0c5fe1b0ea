// Text boxes that grow with their text, and line numbers beside JSON, with the lines that an error is about.
import { showCount } from "./counts.js";
import { editor } from "./fields.js";

const growsByItself = CSS.supports("field-sizing", "content");
const faulty = new WeakMap();

export function prepare(root) {
  root.querySelectorAll("textarea[data-path]").forEach(refresh);
}

function refresh(control) {
  if (!growsByItself) {
    control.style.height = "auto";
    control.style.height = `${control.scrollHeight + 2}px`;
  }
  const gutter = control.parentElement.querySelector("[data-lines]");
  if (gutter) number(gutter, control);
}

function number(gutter, control) {
  const count = control.value.split("\n").length;
  const wrong = faulty.get(control) || [];
  const rows = [];
  for (let line = 1; line <= count; line += 1) {
    if (wrong.includes(line)) {
      const mark = document.createElement("mark");
      mark.textContent = line;
      rows.push(mark, "\n");
    } else rows.push(`${line}\n`);
  }
  gutter.replaceChildren(...rows);
}

function goToLine(control, line) {
  const lines = control.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  control.focus();
  control.setSelectionRange(start, start + (lines[line - 1] || "").length);
}

for (const name of ["input", "written"]) {
  editor.addEventListener(name, ({ target }) => {
    if (!target.matches("textarea[data-path]")) return;
    refresh(target);
    showCount(target);
  });
}
editor.addEventListener("errors", ({ target, detail }) => {
  faulty.set(target, detail.map((error) => error.line));
  if (target.matches("textarea")) refresh(target);
});
editor.addEventListener("click", ({ target }) => {
  const jump = target.closest("[data-error] [data-line]");
  if (jump) goToLine(jump.closest("[data-field]").querySelector("[data-path]"), Number(jump.dataset.line));
});
