// Before anything is drawn: the theme that the reader chose, if he chose one.
// Without a choice the style sheet follows the system's.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("assay-theme"); } catch { /* no storage: the system's */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
