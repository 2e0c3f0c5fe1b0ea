// Saves edits in the order they were typed. Each edit remembers the draft state it was typed on, so that the server can
// merge; an edit leaves the queue only when the server has confirmed it.
import { post } from "./draft_request.js";

const AFTER_TYPING_MS = 1000;
const LONGEST_WAIT_MS = 30000;

// Whether one path lies inside the other or is it.
export function concerns(a, b) {
  const isInside = (inner, outer) => inner === outer || (outer !== "" && (inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`)));
  return isInside(a, b) || isInside(b, a);
}

export class Draft {
  // `listeners`: state(kind, words), saved(answer, sent), refused(edit, errors), dropped(edit, errors), conflict(answer).
  constructor({ address, person, digest, store, listeners }) {
    Object.assign(this, { address, person, digest, store, listeners });
    this.edits = [];
    this.sending = [];
    this.conflict = null;
    this.failures = 0;
    this.isOneByOne = false;
    this.timer = null;
    window.addEventListener("online", () => this.send());
  }

  get unsaved() {
    return [...this.sending, ...this.edits];
  }

  isPending(path) {
    return this.unsaved.some((edit) => concerns(edit.path, path));
  }

  // Take over what an earlier page has left behind; refused edits get another chance.
  adopt(edits) {
    this.edits.unshift(...edits.map((edit) => ({ ...edit, refused: null })));
    this.keep();
    if (this.edits.length) this.send();
  }

  change(edit) {
    const last = this.edits.findLastIndex((other) => other.path === edit.path || other.isStructural);
    const same = this.edits[last];
    if (!edit.isStructural && same && !same.isStructural) Object.assign(same, { value: edit.value, refused: null, at: Date.now() });
    else this.edits.push({ ...edit, base: this.digest, refused: null, at: Date.now() });
    this.keep();
    this.schedule(edit.isStructural ? 0 : AFTER_TYPING_MS);
  }

  // Forget what was typed at a place, because it is replaced by something else.
  forget(path) {
    this.edits = this.edits.filter((edit) => edit.path !== path);
    this.keep();
  }

  keep() {
    this.store.write(this.unsaved);
  }

  schedule(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), ms);
  }

  nextBatch() {
    const ready = this.edits.filter((edit) => !edit.refused);
    const other = ready.findIndex((edit) => edit.base !== ready[0].base);
    const batch = other < 0 ? ready : ready.slice(0, other);
    return this.isOneByOne ? batch.slice(0, 1) : batch;
  }

  async send({ isLeaving = false } = {}) {
    clearTimeout(this.timer);
    if (this.sending.length || this.conflict) return;
    const batch = this.nextBatch();
    if (!batch.length) {
      this.isOneByOne = false;
      if (this.edits.length) this.listeners.state("refused", this.refusal());
      return;
    }
    this.sending = batch;
    this.edits = this.edits.filter((edit) => !batch.includes(edit));
    this.listeners.state("saving", "Saving …");
    const sent = batch.map(({ op, path, value = null }) => ({ op, path, value }));
    const answer = await post(this.address, { base: batch[0].base, person: this.person, edits: sent }, isLeaving);
    this.receive(answer, batch);
  }

  receive({ kind, body, words }, batch) {
    if (kind === "saved") return this.accept(body, batch);
    this.sending = [];
    this.edits = [...batch, ...this.edits];
    this.keep();
    if (kind === "refused") return this.refuse(body.errors, batch);
    if (kind === "conflict" && !body.conflicts.length) {
      // The state they were typed on is gone, and nothing differs: they belong on the draft as it is.
      batch.forEach((edit) => { edit.base = body.digest; });
      return this.send();
    }
    if (kind === "conflict") {
      this.conflict = body;
      this.listeners.state("conflict", "Somebody else changed the same field: kept here until you choose");
      return this.listeners.conflict(body);
    }
    this.listeners.state(kind, words);
    if (kind === "offline") this.schedule(this.waitAfterFailure());
    return undefined;
  }

  // Twice as long after each failure, and never the same for two pages, so that they do not all come back at once.
  waitAfterFailure() {
    this.failures += 1;
    return Math.min(LONGEST_WAIT_MS, 1000 * 2 ** (this.failures - 1)) * (0.5 + Math.random() / 2);
  }

  accept(answer, batch) {
    const sent = new Set(batch.map((edit) => edit.path));
    for (const edit of this.edits) {
      // What somebody else changed meanwhile keeps its old base: the server then asks instead of overwriting.
      const isUntouched = edit.base === batch[0].base && !(edit.path in answer.values);
      if (sent.has(edit.path) || isUntouched) edit.base = answer.digest;
    }
    this.sending = [];
    this.digest = answer.digest;
    this.failures = 0;
    this.keep();
    const left = this.edits.filter((edit) => !edit.refused);
    if (this.edits.length && !left.length) this.listeners.state("refused", this.refusal());
    else if (!left.length) this.listeners.state("saved", `Draft saved ${answer.saved_at}`, answer.saved_title);
    this.listeners.saved(answer, batch);
    if (left.length) this.schedule(this.isOneByOne ? 0 : 300);
    else this.isOneByOne = false;
  }

  // The wrong fields stay as typed and say why; everything else is saved without them.
  refuse(errors, batch) {
    let blamed = batch.filter((edit) => errors.some((error) => error.path && concerns(error.path, edit.path)));
    if (!blamed.length && batch.length === 1) blamed = batch;
    if (!blamed.length) this.isOneByOne = true;
    for (const edit of blamed) {
      const own = errors.filter((error) => concerns(error.path, edit.path));
      edit.refused = own.length ? own : errors;
      if (edit.isStructural) {
        this.edits = this.edits.filter((other) => other !== edit);
        this.listeners.dropped(edit, edit.refused);
      } else this.listeners.refused(edit, edit.refused);
    }
    this.keep();
    if (!this.edits.length) this.listeners.state("refused", `Not done: ${errors[0].message}`);
    this.send();
  }

  refusal() {
    const refused = this.edits.filter((edit) => edit.refused);
    const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : "";
    return `Not saved, kept here: ${refused[0].refused[0].message}${more}`;
  }

  // `choices`: path → "mine" or "theirs". First everything that both sides agree on is saved, then what is mine on top.
  settle(choices) {
    const { conflicts, digest } = this.conflict;
    const typed = new Map(this.edits.map((edit) => [edit.path, edit.value]));
    const first = this.edits.find((edit) => !edit.refused);
    const agreed = conflicts.map((conflict) => ({ ...conflict.theirs, path: conflict.path, base: first.base, at: Date.now(), isStructural: true }));
    const mine = conflicts.filter((conflict) => choices[conflict.path] === "mine").map((conflict) => {
      const value = typed.has(conflict.path) && conflict.mine.op === "set" ? typed.get(conflict.path) : conflict.mine.value;
      return { op: conflict.mine.op, path: conflict.path, value, base: digest, at: Date.now(), isStructural: conflict.mine.op !== "set" };
    });
    const exact = new Set(conflicts.map((conflict) => conflict.path));
    const rest = this.edits.filter((edit) => !exact.has(edit.path));
    const needsAgreement = rest.some((edit) => conflicts.some((conflict) => concerns(edit.path, conflict.path)));
    this.edits = [...rest, ...(needsAgreement ? agreed : []), ...mine];
    this.conflict = null;
    this.keep();
    return this.send();
  }

  // Resolves when nothing more can be sent now, or after a while.
  async settled(limitMs = 4000) {
    const end = Date.now() + limitMs;
    this.send();
    while ((this.sending.length || (this.edits.some((edit) => !edit.refused) && !this.conflict)) && Date.now() < end) {
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
}
