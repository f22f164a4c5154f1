// Light or dark as the reader's system says, or as chosen here. Runs before the page is drawn.
"use strict";
{
  const KEY = "tinyml-workbook.theme";
  const ORDER = ["auto", "light", "dark"];
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const apply = (theme) => {
    root.dataset.theme = theme;
    if (theme === "auto") root.removeAttribute("data-jp-theme-light"); // the figures know this attribute
    else root.setAttribute("data-jp-theme-light", String(theme === "light"));
  };
  apply(ORDER.includes(stored()) ? stored() : "auto");
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const label = () => { button.textContent = `Theme: ${root.dataset.theme}`; };
    button.hidden = false;
    button.addEventListener("click", () => {
      apply(ORDER[(ORDER.indexOf(root.dataset.theme) + 1) % ORDER.length]);
      try { localStorage.setItem(KEY, root.dataset.theme); } catch { /* the choice lasts for this page */ }
      label();
    });
    label();
  });
}
