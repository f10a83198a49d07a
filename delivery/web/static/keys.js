// Security keys: a form with data-webauthn asks the browser for a key, and sends what it answers.
"use strict";
(() => {
  const form = document.querySelector("form[data-webauthn]");
  if (!form) return;
  const said = form.querySelector("[role=status]"), button = form.querySelector("button");
  const isNew = form.dataset.webauthn === "create";
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseCreationOptionsFromJSON) {
    said.textContent = form.dataset.missing;
    return;
  }
  button.disabled = false;
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    button.disabled = true;
    said.textContent = form.dataset.touch;
    try {
      const told = JSON.parse(form.dataset.options);
      const found = isNew
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(told) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(told) });
      form.elements.answer.value = JSON.stringify(found.toJSON());
      form.submit();
    } catch {
      said.textContent = form.dataset.failed;
      button.disabled = false;
    }
  });
})();
