// Characters and estimated tokens of a text while it is typed; the same formula as core/token_estimate.py.
const DENSE = /[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/g;
const number = new Intl.NumberFormat("en");

export function showCount(control) {
  const place = control.closest("[data-field]")?.querySelector("[data-count]");
  if (!place) return;
  let characters = 0;
  for (const _ of control.value) characters += 1;
  const dense = (control.value.match(DENSE) || []).length;
  const tokens = dense + Math.ceil((characters - dense) / 4);
  const words = `${number.format(characters)} characters`;
  place.textContent = place.dataset.count === "tokens" ? `${words} · about ${number.format(tokens)} tokens` : words;
}
