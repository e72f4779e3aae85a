// Opens the step that an address names, and keeps a wide table's own scroll place in view. Everything else works without scripts.
"use strict";
function openNamed() {
  const named = document.getElementById(location.hash.slice(1));
  const details = named && named.querySelector("details");
  if (details) {
    details.open = true;
    named.scrollIntoView({ block: "center" });
    details.querySelector("summary").focus({ preventScroll: true });
  }
}
window.addEventListener("hashchange", openNamed);
window.addEventListener("DOMContentLoaded", openNamed);
