"use strict";
// Light and dark: the system's choice until somebody presses the button.
const root = document.documentElement, toggle = document.getElementById("theme");
const prefers = matchMedia("(prefers-color-scheme: dark)");
const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : prefers.matches;
const label = () => {
  toggle.textContent = dark() ? "Light page" : "Dark page";
};
toggle.hidden = false;
toggle.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
prefers.addEventListener("change", label);
label();

// Numbers by their value, an interval by what stands before it, text by its letters, "–" last.
const valueOf = text => {
  const number = parseFloat(text);
  return Number.isNaN(number) ? null : number;
};
const compare = (a, b, sign) => {
  const x = valueOf(a), y = valueOf(b), numeric = t => /^[-–\d.]|^undefined$/.test(t);
  if (x !== null && y !== null) return sign * (x - y);
  if (numeric(a) && numeric(b)) return (x === null) - (y === null);
  return sign * a.localeCompare(b, "en", {numeric: true});
};

// A sortable table has a button in each heading, so that the keyboard reaches it.
const sortable = table => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach(h => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const body = table.tBodies[0];
      body.append(...[...body.rows]
        .map(row => [row.cells[column].textContent, row])
        .sort((a, b) => compare(a[0], b[0], sign)).map(pair => pair[1]));
    });
  });
};
document.querySelectorAll("table[data-sortable]").forEach(sortable);

// All cells: rows from the data block, shown or hidden by the filter.
const block = document.getElementById("data");
if (block) {
  const {runs, rows} = JSON.parse(block.textContent);
  const table = document.getElementById("all"), form = document.getElementById("filter");
  const several = runs.length > 1, skip = several ? 0 : 1;
  const titles = ["run", "task", "method", "seed", "floor", "student", "ceiling", "PGR"];
  const shown = (value, column) => column === 0 ? runs[value]
    : value === null ? "–" : column > 3 ? value.toFixed(4) : String(value);
  const head = table.createTHead().insertRow(), body = table.createTBody();
  titles.slice(skip).forEach((title, i) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    if (i + skip > 2) cell.className = "number";
    head.append(cell);
  });
  for (const row of rows) {
    const line = body.insertRow();
    row.slice(skip).forEach((value, i) => {
      const cell = line.insertCell();
      cell.textContent = shown(value, i + skip);
      if (i + skip > 2) cell.className = "number";
    });
    line.dataset.task = row[1];
    line.dataset.method = row[2];
  }
  for (const [name, column] of [["task", 1], ["method", 2]]) {
    for (const value of new Set(rows.map(row => row[column]))) {
      form.elements[name].add(new Option(value, value));
    }
  }
  const filter = () => {
    const {task, method, text} = form.elements, wanted = text.value.trim().toLowerCase();
    let count = 0;
    for (const line of body.rows) {
      const keep = (!task.value || line.dataset.task === task.value)
        && (!method.value || line.dataset.method === method.value)
        && (!wanted || line.textContent.toLowerCase().includes(wanted));
      line.hidden = !keep;
      count += keep;
    }
    form.querySelector("output").textContent = `${count} of ${rows.length} cells`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", event => event.preventDefault());
  sortable(table);
  filter();
  form.hidden = false;
  table.parentElement.hidden = false;
}

// The page of a run that goes on reloads itself, and stays where its reader is.
const reload = document.getElementById("main").dataset.reload;
if (reload) {
  const kept = "w2s " + location.pathname, details = () => [...document.querySelectorAll("details")];
  const {top = 0, open = []} = JSON.parse(sessionStorage.getItem(kept) || "{}");
  details().forEach((one, i) => { one.open = open.includes(i); });
  scrollTo(0, top);
  setTimeout(() => {
    const opened = details().flatMap((one, i) => one.open ? [i] : []);
    sessionStorage.setItem(kept, JSON.stringify({top: scrollY, open: opened}));
    location.reload();
  }, 1000 * reload);
}
