// Upload by drag and drop with progress; the form works without it.
"use strict";
(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const input = form.querySelector("input[type=file]"), drop = form.querySelector(".drop"), bar = form.querySelector("progress"), said = form.querySelector("[role=status]");
  const send = (file) => {
    const data = new FormData(form);
    data.set("file", file);
    const call = new XMLHttpRequest();
    call.open("POST", form.action);
    call.upload.onprogress = (e) => { bar.hidden = false; bar.max = e.total; bar.value = e.loaded; said.textContent = Math.round(100 * e.loaded / e.total) + "%"; };
    call.onload = () => { document.open(); document.write(call.responseText); document.close(); history.replaceState(null, "", call.responseURL || location.href); };
    call.onerror = () => { said.textContent = form.dataset.failed; };
    call.send(data);
  };
  ["dragenter", "dragover"].forEach((n) => drop.addEventListener(n, (e) => { e.preventDefault(); drop.classList.add("over"); }));
  ["dragleave", "drop"].forEach((n) => drop.addEventListener(n, (e) => { e.preventDefault(); drop.classList.remove("over"); }));
  drop.addEventListener("drop", (e) => { if (e.dataTransfer.files.length) send(e.dataTransfer.files[0]); });
  form.addEventListener("submit", (e) => { if (input.files.length) { e.preventDefault(); send(input.files[0]); } });
})();
// Keys: an element with data-key is pressed or entered by that key; j and k walk the rows; ? tells them all. They can be
// turned off, and do nothing while somebody types.
(() => {
  const box = document.getElementById("keys-off"), button = box && box.querySelector("button");
  if (!button) return;
  const keyed = [...document.querySelectorAll("[data-key]")], rows = [...document.querySelectorAll("[data-row]")];
  if (!keyed.length && !rows.length) return;
  const isOff = () => localStorage.getItem("keys") === "off";
  const show = () => { button.textContent = isOff() ? button.dataset.on : button.dataset.off; };
  const mark = () => keyed.forEach((e) => {
    if (!e.matches("button, summary") || e.querySelector("kbd")) return;
    const key = document.createElement("kbd");
    key.textContent = e.dataset.key; key.ariaHidden = "true";
    e.append(" ", key);
  });
  box.hidden = false; show(); if (!isOff()) mark();
  button.addEventListener("click", () => { localStorage.setItem("keys", isOff() ? "on" : "off"); location.reload(); });
  const step = (by) => { const at = rows.indexOf(document.activeElement); rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus(); };
  document.addEventListener("keydown", (e) => {
    if (isOff() || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select")) return;
    if (e.key === "j" || e.key === "k") return step(e.key === "j" ? 1 : -1);
    const aim = keyed.find((one) => one.dataset.key === e.key);
    if (!aim) return;
    e.preventDefault();
    if (aim.matches("button, summary")) { aim.click(); aim.closest("details")?.querySelector("textarea, input:not([type=hidden])")?.focus(); }
    else aim.focus();
  });
})();
