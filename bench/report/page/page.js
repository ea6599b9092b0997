"use strict";
// Tables sort by the column clicked: numbers first descending, text first ascending.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement, body = head.closest("table").tBodies[0];
    const column = head.cellIndex, wasDescending = head.getAttribute("aria-sort") === "descending";
    const numeric = [...body.rows].some((row) => row.cells[column].dataset.value !== undefined);
    const ascending = head.hasAttribute("aria-sort") ? wasDescending : !numeric;
    const value = (row) => {
      const cell = row.cells[column];
      if (!numeric) return cell.textContent;
      const number = Number(cell.dataset.value ?? NaN);
      return Number.isNaN(number) ? (ascending ? Infinity : -Infinity) : number;
    };
    const order = (a, b) => numeric ? value(a) - value(b) : value(a).localeCompare(value(b));
    const rows = [...body.rows].sort((a, b) => ascending ? order(a, b) : order(b, a));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    body.append(...rows);
  });
}
// A number shows the cells behind it; without scripts its link leads to the first.
const dialog = document.getElementById("source");
for (const number of document.querySelectorAll("a.n")) {
  number.addEventListener("click", (event) => {
    event.preventDefault();
    const content = dialog.querySelector("div");
    const cells = number.dataset.cells.split(" ");
    const title = document.createElement("p");
    title.textContent = `${number.textContent} comes from ${cells.length} cell${cells.length > 1 ? "s" : ""}:`;
    content.replaceChildren(title);
    for (const cell of cells) {
      const copy = document.getElementById(`cell-${cell}`).cloneNode(true);
      copy.removeAttribute("id");
      copy.open = cells.length === 1;
      content.append(copy);
    }
    const shared = document.getElementById("shared")?.cloneNode(true);
    shared?.removeAttribute("id");
    if (shared) content.append(shared);
    dialog.showModal();
  });
}
dialog.querySelector("button").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
// Sliders change the severity of the pictures beside them.
for (const slider of document.querySelectorAll(".strip input")) {
  slider.addEventListener("input", () => {
    const frames = slider.closest(".strip").querySelectorAll(".frame");
    frames.forEach((frame, index) => { frame.hidden = index !== Number(slider.value); });
    slider.parentElement.querySelector("output").textContent = frames[slider.value].dataset.severity;
  });
}
// A link into a closed part opens it, and paper shows all tables.
function reveal() {
  for (let node = document.getElementById(location.hash.slice(1)); node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
  }
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}
addEventListener("hashchange", reveal);
if (location.hash) reveal();
addEventListener("beforeprint", () => {
  for (const table of document.querySelectorAll("details.table")) table.open = true;
});
