// One request that saves edits, and what its answer means for what was typed.
const PATIENCE_MS = 30000;
const SMALL = 60000; // What a browser sends for a page that is being closed.

export function csrfToken() {
  // From the cookie, because it changes when somebody signs in again in another tab.
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";
}

export async function post(address, content, isLeaving = false) {
  const body = JSON.stringify(content);
  let response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body,
      redirect: "manual",
      keepalive: isLeaving && body.length < SMALL,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    return { kind: "offline", words: "Offline: kept here, and tried again" };
  }
  if (response.type === "opaqueredirect" || response.status === 401) {
    return { kind: "offline", words: "Signed out: kept here. Sign in again in another tab, and it is saved" };
  }
  return meaning(response.status, await response.json().catch(() => null));
}

function meaning(status, body) {
  if (status === 200 && body) return { kind: "saved", body };
  if (status === 422 && body) return { kind: "refused", body };
  if (status === 409 && body) return { kind: "conflict", body };
  if (body?.errors) return { kind: "blocked", words: `Not saved, kept here: ${body.errors[0].message}` };
  if (status === 403) return { kind: "blocked", words: "Not saved, kept here: your role does not allow changes, or you must sign in again" };
  if (status === 404) return { kind: "blocked", words: "Not saved, kept here: this agent does not exist any more" };
  return { kind: "offline", words: "The server could not save this: kept here, and tried again" };
}
