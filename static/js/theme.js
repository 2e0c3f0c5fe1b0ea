// Sets light or dark before the first paint: the reader's choice, else the system's. Runs before the style sheets.
(function () {
  "use strict";
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  function chosen() {
    try { return localStorage.getItem("theme"); } catch { return null; }
  }
  function apply() {
    document.documentElement.setAttribute("data-bs-theme", chosen() || (system.matches ? "dark" : "light"));
  }
  system.addEventListener("change", apply);
  apply();
  document.addEventListener("click", function (event) {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = document.documentElement.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { /* The choice lasts for this page only. */ }
    document.documentElement.setAttribute("data-bs-theme", next);
  });
})();
