// Keeps unsaved edits in the browser's own store, one record for each open page, so that a closed browser loses nothing.
// A record whose page is gone is taken over by the next page of the same person and agent.

function held(name) {
  // Hold a lock for as long as this page lives: other pages see by it that the record is not an orphan.
  return new Promise((resolve) => {
    navigator.locks.request(name, () => { resolve(); return new Promise(() => {}); });
  });
}

export class DraftStore {
  constructor(agent, person) {
    this.prefix = `draft-edits:${person}:${agent}:`;
    this.key = `${this.prefix}${Date.now()}-${Math.random().toString(36).slice(2)}`;
    this.hasFailed = false;
  }

  // The edits that pages now gone have left behind, the oldest first. They are ours from now on.
  async adopt() {
    if (!navigator.locks) return this.takeOver(this.keys());
    await held(this.key);
    return navigator.locks.request(`${this.prefix}adopt`, async () => {
      const alive = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
      return this.takeOver(this.keys().filter((key) => !alive.has(key)));
    });
  }

  takeOver(keys) {
    const edits = keys.flatMap((key) => this.read(key)).sort((a, b) => a.at - b.at);
    this.write(edits);
    if (!this.hasFailed) keys.forEach((key) => localStorage.removeItem(key));
    return edits;
  }

  keys() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix) && key !== this.key);
    } catch {
      return [];
    }
  }

  read(key) {
    try {
      return JSON.parse(localStorage.getItem(key)) || [];
    } catch {
      return [];
    }
  }

  write(edits) {
    try {
      if (edits.length) localStorage.setItem(this.key, JSON.stringify(edits));
      else localStorage.removeItem(this.key);
      this.hasFailed = false;
    } catch {
      this.hasFailed = true; // Full or forbidden: the page warns before it is closed.
    }
  }
}
