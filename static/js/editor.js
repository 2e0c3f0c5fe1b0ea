// The editor's page: what is typed is saved by itself, and nothing typed is ever lost.
import { askWhichStays } from "./conflict.js";
import { concerns, Draft } from "./draft.js";
import { DraftStore } from "./draft_store.js";
import { controlAt, editor, showErrors, showNote, showState, typedIn, write } from "./fields.js";
import { editOf, showActionErrors } from "./item_actions.js";
import { Presence } from "./presence.js";
import { showSaveState } from "./save_state.js";
import { prepare } from "./text_areas.js";

const tab = document.getElementById("editor-tab");
const dialog = document.getElementById("dialog");
const { agent, person, page, tab: tabKey } = editor.dataset;
let state = JSON.parse(document.getElementById("editor-state").textContent);

const store = new DraftStore(agent, person);
const draft = new Draft({
  address: editor.getAttribute("action"), // The buttons are named "action" too.
  person: Number(person),
  digest: state.digest,
  store,
  listeners: { state: showSaveState, saved, refused: (edit, errors) => showErrors(edit.path, errors), dropped: showActionErrors, conflict: ask },
});
const presence = new Presence({
  address: editor.dataset.presence,
  draft,
  shown: () => ({ digest: draft.digest, latest: state.latest, live: state.live }),
  moved,
});

function ask(answer) {
  askWhichStays(answer, async (choices) => {
    const theirs = Object.keys(choices).filter((path) => choices[path] === "theirs");
    await draft.settle(choices);
    theirs.forEach((path) => showErrors(path, []));
    presence.ask();
  });
}

function saved(answer, sent) {
  const typed = new Set(sent.filter((edit) => !edit.isStructural).map((edit) => edit.path));
  show(answer, typed, answer.merged_from);
  sent.forEach((edit) => showErrors(edit.path, []));
  if (sent.some((edit) => edit.isStructural && edit.op !== "take_back") || sent.some((edit) => edit.op === "take_back" && !controlAt(edit.path))) loadTab();
  window.htmx.trigger(document.body, "draft-changed", { isOwn: true });
}

function moved(answer) {
  draft.digest = answer.digest;
  show(answer, new Set(), answer.by);
  if (!draft.unsaved.length) showSaveState("saved", `Draft saved ${answer.saved_at}`, answer.saved_title);
  window.htmx.trigger(document.body, "draft-changed", { isOwn: true });
}

// Other people's changes appear in the fields that nobody here has touched.
function show(answer, typed, by) {
  state = answer;
  for (const [path, text] of Object.entries(answer.values)) {
    const control = controlAt(path);
    if (!control || typed.has(path) || draft.isPending(path) || typedIn(control) === text) continue;
    write(control, text);
    showNote(path, by ? `${by} changed this just now.` : "");
  }
  showState(answer);
  if (answer.restructured.includes(tabKey)) loadTab();
}

async function loadTab() {
  const response = await fetch(page, { headers: { "HX-Request": "true" }, redirect: "manual" }).catch(() => null);
  if (!response?.ok) return;
  const open = new Set([...tab.querySelectorAll("details[open][data-item]")].map((item) => item.dataset.item));
  const known = new Set([...tab.querySelectorAll("[data-item]")].map((item) => item.dataset.item));
  const focused = document.activeElement?.dataset?.path;
  tab.innerHTML = await response.text();
  tab.querySelectorAll("[data-item]").forEach((item) => { item.open = open.has(item.dataset.item) || !known.has(item.dataset.item); });
  window.htmx.process(tab);
  restore();
  if (focused) controlAt(focused)?.focus();
}

// Put what is typed but not saved back into its fields, with what the server said about it.
function restore() {
  for (const edit of draft.unsaved) {
    const control = edit.isStructural ? null : controlAt(edit.path);
    if (!control) continue;
    if (typeof edit.value === "string") write(control, edit.value);
    if (edit.refused) showErrors(edit.path, edit.refused);
  }
  prepare(tab);
}

function openField() {
  const wanted = decodeURIComponent(window.location.hash.slice(1));
  if (!wanted.startsWith("field-")) return;
  const places = [...tab.querySelectorAll("[data-field], [data-item]")];
  const place = places.find((other) => other.id === wanted) || places.findLast((other) => concerns(wanted, other.id));
  if (!place) return;
  place.closest("details")?.setAttribute("open", "");
  place.scrollIntoView({ block: "center" });
  place.querySelector("[data-path]")?.focus({ preventScroll: true });
}

function press(button) {
  const edit = editOf(button);
  if (edit.op === "take_back") draft.forget(edit.path);
  editor.querySelectorAll("[data-list-error]").forEach((place) => { place.hidden = true; });
  draft.change(edit);
}

if (!("readonly" in editor.dataset)) {
  editor.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-path]")) return;
    showNote(target.dataset.path, "");
    draft.change({ op: "set", path: target.dataset.path, value: typedIn(target) });
  });
  editor.addEventListener("keydown", (event) => {
    const input = event.target.closest("[data-new], [data-rename]");
    if (event.key !== "Enter" || !input) return;
    event.preventDefault();
    input.parentElement.querySelector("button").click();
  });
  document.addEventListener("submit", (event) => {
    const isTakingBack = event.target.matches("[data-take-back]");
    if (event.target !== editor && !isTakingBack) return;
    event.preventDefault();
    if (event.submitter?.name === "action") press(event.submitter);
    else draft.send();
    if (isTakingBack && dialog.open) dialog.close();
  });
  document.querySelector("[data-choose]").addEventListener("click", () => draft.conflict && ask(draft.conflict));
  window.addEventListener("pagehide", () => draft.send({ isLeaving: true }));
  window.addEventListener("beforeunload", (event) => {
    if (store.hasFailed && draft.unsaved.length) event.preventDefault();
  });
  // A dialog about the draft, and what callers hear of it, wait until what was typed before is saved.
  document.addEventListener("htmx:confirm", (event) => {
    const isAboutDraft = ["#dialog", "#panel", "#draft-followers"].includes(event.detail.elt.getAttribute("hx-target"));
    if (!isAboutDraft || !draft.edits.some((edit) => !edit.refused)) return;
    event.preventDefault();
    draft.settled().then(() => event.detail.issueRequest());
  });
  store.adopt().then((edits) => { draft.adopt(edits); restore(); });
}
for (const name of ["draft-changed", "version-published", "version-restored"]) {
  document.body.addEventListener(name, (event) => { if (!event.detail?.isOwn) presence.ask(); });
}
prepare(tab);
openField();
window.addEventListener("hashchange", openField);
presence.ask();
