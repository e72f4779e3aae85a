// Opens the step that an address names, and walks the map by arrow keys. Everything else works without scripts.
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
// On the map Tab goes to one hexagon, arrows go from it to its neighbours.
const turns = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function middleOf(link) {
  const box = link.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}
function nextTo(links, from, [dx, dy]) {
  const [x, y] = middleOf(from);
  let best = null;
  let least = Infinity;
  for (const link of links) {
    const [ox, oy] = middleOf(link);
    const along = (ox - x) * dx + (oy - y) * dy;
    const across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    if (along > 1 && along + 2 * across < least) {
      least = along + 2 * across;
      best = link;
    }
  }
  return best;
}
window.addEventListener("DOMContentLoaded", () => {
  const map = document.querySelector("svg.map");
  if (!map) {
    return;
  }
  const links = [...map.querySelectorAll("a")];
  const first = map.querySelector("a.chosen") || links[0];
  links.forEach((link) => link.setAttribute("tabindex", link === first ? "0" : "-1"));
  map.addEventListener("keydown", (event) => {
    const from = document.activeElement;
    const to = turns[event.key] && links.includes(from) ? nextTo(links, from, turns[event.key]) : null;
    if (to) {
      event.preventDefault();
      from.setAttribute("tabindex", "-1");
      to.setAttribute("tabindex", "0");
      to.focus();
    }
  });
});
