// Keys for the page viewer: left and right turn pages, plus and minus change the size. Links do the same without this file.
"use strict";
(() => {
  const ways = { ArrowRight: '[rel="next"]', PageDown: '[rel="next"]', ArrowLeft: '[rel="prev"]', PageUp: '[rel="prev"]', "+": "[data-larger]", "-": "[data-smaller]" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select")) return;
    // Inside the page itself the arrows scroll, as everywhere.
    if (event.target.closest(".leaf") && event.key.startsWith("Arrow")) return;
    const link = ways[event.key] && document.querySelector(ways[event.key]);
    if (link) { event.preventDefault(); link.click(); }
  });
})();
