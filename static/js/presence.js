// Every few seconds: who else has the page open, and did the draft move?
import { csrfToken } from "./draft_request.js";

const EVERY_MS = 5000;
const people = document.querySelector("[data-people]");

export class Presence {
  // `shown()` gives what the page shows (digest, latest, live); `moved(state)` is called when the draft is elsewhere.
  constructor({ address, draft, shown, moved }) {
    Object.assign(this, { address, draft, shown, moved });
    setInterval(() => { if (!document.hidden) this.ask(); }, EVERY_MS);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.ask(); });
  }

  async ask() {
    if (this.isAsking || this.draft.sending.length) return;
    this.isAsking = true;
    const shown = this.shown();
    try {
      const response = await fetch(this.address, {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken() },
        body: new URLSearchParams(shown),
        redirect: "manual",
        signal: AbortSignal.timeout(10000),
      });
      if (!response.ok) return;
      const answer = await response.json();
      showPeople(answer.people);
      const isStillTrue = !this.draft.sending.length && this.shown().digest === shown.digest;
      if (answer.state && isStillTrue) this.moved(answer.state);
    } catch {
      // Offline: saving says so.
    } finally {
      this.isAsking = false;
    }
  }
}

function showPeople(present) {
  people.replaceChildren(...present.map(({ name, initials }) => {
    const avatar = document.createElement("span");
    avatar.className = "avatar avatar-sm";
    avatar.title = `${name} has this page open`;
    const [letters, words] = [document.createElement("span"), document.createElement("span")];
    letters.ariaHidden = "true";
    letters.textContent = initials;
    words.className = "visually-hidden";
    words.textContent = avatar.title;
    avatar.append(letters, words);
    return avatar;
  }));
}
