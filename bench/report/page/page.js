"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const element = (tag, text = "", attributes = {}) => {
  const made = Object.assign(document.createElement(tag), attributes);
  if (text) made.textContent = text;
  return made;
};
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
// A number shows the cells behind it, and #cell=KEY shows that cell.
const { facts, cells } = read("cell-data");
const dialog = document.getElementById("source");
const list = (numbers) => {
  const lines = element("dl");
  for (const [name, value] of numbers.map((number) => facts[number])) {
    lines.append(element("dt", name), element("dd", value));
  }
  return lines;
};
const describe = (cell, open, shared = new Set()) => {
  const part = element("details", "", { className: "cell", open });
  const summary = element("summary", cell.title);
  if (cell.failed) summary.append(" ", element("b", "failed", { className: "failed" }));
  part.append(summary, element("a", "permalink", { href: `#cell=${cell.key}` }));
  part.append(list(cell.facts.filter((number) => !shared.has(number))));
  return part;
};
const showCells = (title, indices) => {
  const shown = indices.map((index) => cells[index]), several = shown.length > 1;
  const common = shown[0].facts.filter((number) => shown.every((cell) => cell.facts.includes(number)));
  const shared = new Set(several ? common : []);
  const content = dialog.querySelector("div");
  content.replaceChildren(element("p", title), ...shown.map((cell) => describe(cell, !several, shared)));
  if (several) content.append(element("p", "The same for all of these:"), list(common));
  if (!dialog.open) dialog.showModal();
};
for (const number of document.querySelectorAll("a.n")) {
  number.addEventListener("click", (event) => {
    event.preventDefault();
    const indices = number.dataset.cells.split(" ").map(Number), count = indices.length;
    showCells(`${number.textContent} comes from ${count} cell${count > 1 ? "s" : ""}:`, indices);
    history.replaceState(null, "", number.getAttribute("href"));
  });
}
for (const each of document.querySelectorAll("dialog")) {
  each.querySelector("button").addEventListener("click", () => each.close());
  each.addEventListener("click", (event) => { if (event.target === each) each.close(); });
}
const all = document.getElementById("cells");
all.addEventListener("toggle", () => {
  const place = all.querySelector("div");
  if (all.open && !place.children.length) place.append(...cells.map((cell) => describe(cell, false)));
});
// The leaderboard is filtered by method and family; one corruption may replace the mean over all.
const board = document.querySelector("table.board"), filters = document.querySelector("#leaderboard form");
if (board) {
  const rows = [...board.tBodies[0].rows], means = new Map();
  const data = document.getElementById("corruption-data"), byCorruption = read("corruption-data");
  const columns = data.dataset.columns.split(" ").filter(Boolean).map(Number);
  for (const row of rows) means.set(row, columns.map((c) => [row.cells[c].innerHTML, row.cells[c].dataset.value]));
  const names = columns.map((c) => board.tHead.rows[0].cells[c].firstElementChild.textContent);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("input", () => {
    const { method, family, corruption } = Object.fromEntries(new FormData(filters));
    rows.forEach((row, index) => {
      const [name, group] = [row.cells[0].textContent, row.cells[1].textContent];
      row.hidden = !name.toLowerCase().includes(method.toLowerCase()) || (family !== "" && group !== family);
      columns.forEach((column, place) => {
        const cell = row.cells[column];
        if (corruption) cell.textContent = byCorruption[corruption][index][place][0];
        else cell.innerHTML = means.get(row)[place][0];
        const value = corruption ? byCorruption[corruption][index][place][1] : means.get(row)[place][1];
        if (value === null || value === undefined) delete cell.dataset.value;
        else cell.dataset.value = value;
      });
    });
    columns.forEach((column, place) => {
      const said = corruption ? `${names[place]} (${corruption.replaceAll("_", " ")})` : names[place];
      board.tHead.rows[0].cells[column].firstElementChild.textContent = said;
    });
  });
}
// Pictures of the chosen method and condition; a click enlarges one.
const choice = document.querySelector("#pictures form");
if (choice) {
  const { pictures, examples } = read("album-data"), place = document.getElementById("examples");
  const large = document.getElementById("large");
  const show = () => {
    const { method, condition } = Object.fromEntries(new FormData(choice));
    const chosen = examples.filter((each) => each.method === method && each.condition === condition);
    place.replaceChildren(...chosen.map((example) => {
      const strip = element("figure", "", { className: "strip" }), row = element("div", "", { className: "pictures" });
      strip.append(element("figcaption", `${example.place}, ${example.title}`), row);
      for (const [caption, key] of example.shown) {
        const alt = `${caption}: ${example.place} image of ${method}, ${condition}`;
        const button = element("button", "", { type: "button" });
        button.setAttribute("aria-label", `Enlarge ${alt}`);
        button.append(element("img", "", { src: pictures[key], alt }));
        button.addEventListener("click", () => {
          large.querySelector("div").replaceChildren(element("img", "", { src: pictures[key], alt }), element("p", alt));
          large.showModal();
        });
        const part = element("div");
        part.append(button, element("span", caption));
        row.append(part);
      }
      return strip;
    }));
  };
  choice.addEventListener("input", show);
  choice.addEventListener("submit", (event) => event.preventDefault());
  show();
}
// A link into a closed part opens it.
function reveal() {
  const name = decodeURIComponent(location.hash.slice(1));
  if (name.startsWith("cell=")) {
    const index = cells.findIndex((cell) => cell.key === name.slice(5));
    if (index >= 0) showCells(`Cell ${cells[index].key}:`, [index]);
    return;
  }
  for (let node = document.getElementById(name); node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
  }
  document.getElementById(name)?.scrollIntoView();
}
addEventListener("hashchange", reveal);
if (location.hash) reveal();
