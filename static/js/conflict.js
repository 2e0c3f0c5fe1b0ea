// Two people changed the same field: asks which text stays.
const dialog = document.getElementById("dialog");

export function askWhichStays(answer, settle) {
  dialog.innerHTML = answer.html;
  if (!dialog.open) dialog.showModal();
  const form = dialog.querySelector("[data-conflicts]");
  form.querySelector("input:checked").focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const choices = {};
    form.querySelectorAll("[data-conflict]").forEach((field) => {
      choices[field.dataset.conflict] = field.querySelector("input:checked").value;
    });
    dialog.close();
    settle(choices);
  });
}
