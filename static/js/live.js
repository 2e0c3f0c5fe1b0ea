// Parts of a page that ask for news by themselves ([data-live]): only while somebody looks at the page.
const ATTENTION_MS = 10 * 60 * 1000;
let lastSign = Date.now();

// A part that was replaced meanwhile is out of the document: the request still knows it.
const isLive = (event) => event.detail.requestConfig?.elt.matches("[data-live]") ?? false;
const isAttended = () => !document.hidden && Date.now() - lastSign < ATTENTION_MS;

// Shows one note of a live part, such as “paused”, or none.
function say(what) {
  for (const note of document.querySelectorAll("[data-live-note]")) note.hidden = note.dataset.liveNote !== what;
}

for (const sign of ["pointermove", "pointerdown", "keydown", "wheel", "focus"]) {
  window.addEventListener(sign, () => { lastSign = Date.now(); }, { passive: true, capture: true });
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) lastSign = Date.now(); });

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isLive(event) || isAttended()) return;
  event.preventDefault();
  say("paused");
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (isLive(event)) say(event.detail.successful ? "watching" : "lost");
});
// Asking again follows by itself: no toast for each time that failed. (Captured, so that the page's own answer to
// failures does not hear of it.)
for (const failure of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(failure, (event) => { if (isLive(event)) event.stopPropagation(); }, { capture: true });
}
document.addEventListener("htmx:afterSwap", (event) => {
  // The link to new calls went with the old list: the keyboard goes on in the new one.
  if (event.detail.target.id === "calls") document.getElementById("calls")?.focus();
});
