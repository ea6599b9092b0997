// What a test does with a page that has loaded, and what it notes of it.
addEventListener("load", () => {
const body = document.querySelector("#leaderboard tbody");
const names = () => [...body.rows].filter((row) => !row.hidden).map((row) => row.cells[0].textContent);
const button = document.querySelectorAll("#leaderboard th button")[2];
const result = {errors: window.failures, before: names(), screens: document.body.scrollHeight / 900};
button.click(); result.descending = names();
button.click(); result.ascending = names();
const form = document.querySelector("#leaderboard form");
const change = (name, value) => { form.elements[name].value = value; form.dispatchEvent(new Event("input")); };
change("method", "gss"); result.filtered = names(); change("method", "");
change("family", "floor"); result.floor = names(); change("family", "");
const mean = () => body.rows[2].cells[3].textContent;
result.mean = mean(); change("corruption", "fog"); result.fog = mean(); change("corruption", "");
result.again = mean();
document.querySelector("a.n").click();
const source = document.getElementById("source");
result.dialog = source.open;
result.said = [...source.querySelectorAll("dl dt")].map((name) => name.textContent);
source.close();
const key = JSON.parse(document.getElementById("cell-data").textContent).cells[3].key;
location.hash = `#cell=${key}`; reveal();
result.permalink = source.open && source.textContent.includes(key); source.close();
result.images = document.images.length;
const picture = document.querySelector("#examples button");
picture.click(); result.enlarged = document.getElementById("large").open; document.getElementById("large").close();
result.strips = [...document.querySelectorAll("#examples figcaption")].map((c) => c.textContent.split(",")[0]);
result.pictures = [...document.querySelectorAll("#examples .strip:first-child span")].map((s) => s.textContent);
result.broken = [...document.images].filter((image) => !image.naturalWidth).length;
const requests = performance.getEntriesByType("resource").map((entry) => entry.name);
result.requests = requests.filter((name) => !name.startsWith("data:"));
result.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
const reached = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")]
  .filter((e) => e.getClientRects().length);
result.order = reached.every((e) => e.tabIndex === 0);
const named = (e) => (e.getAttribute("aria-label") ?? e.textContent ?? "").trim() || e.closest("label")
  || e.querySelector("img")?.alt;
result.nameless = reached.filter((e) => !named(e)).map((e) => e.outerHTML.slice(0, 80));
result.scrollers = [...document.querySelectorAll("*")].filter((e) => e.scrollWidth > e.clientWidth + 1
  && ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0).map((e) => e.className);
result.drawings = [...document.querySelectorAll("svg")].filter((e) => !e.getAttribute("aria-label")).length;
result.captions = [...document.querySelectorAll("table")].filter((e) => !e.caption).length;
document.body.innerHTML = `<pre id="result">${JSON.stringify(result)}</pre>`;
});
