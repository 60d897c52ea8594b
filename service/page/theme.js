// Not a module: it runs before the first paint, so that nobody who chose dark sees a white flash.
{
  const KEPT = "fillmask-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem(KEPT); } catch { /* storage is forbidden: the system's it is */ }

  const theme = () => chosen ?? (system.matches ? "dark" : "light");

  const show = () => {
    if (chosen) document.documentElement.dataset.theme = chosen; // the style sheet knows the system's
    const button = document.getElementById("theme");
    if (button) button.textContent = theme() === "dark" ? "Light theme" : "Dark theme";
  };

  const toggle = () => {
    chosen = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem(KEPT, chosen); } catch { /* it holds for as long as the page */ }
    show();
  };

  show();
  system.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme").addEventListener("click", toggle);
  });
}
