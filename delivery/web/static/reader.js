// Live status: looks again every few seconds while something waits. Without script the page reloads by its own refresh.
"use strict";
(() => {
  const box = document.querySelector("[data-watch]");
  if (!box) return;
  const state = box.dataset.watch;
  let pause = 2000;
  const look = async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-watch]");
      if (answer.ok && (!fresh || fresh.dataset.watch !== state)) return location.reload();
    } catch (e) { /* the network is away; look again later */ }
    pause = Math.min(pause * 1.3, 30000);
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
})();
