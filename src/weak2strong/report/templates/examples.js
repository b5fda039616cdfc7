// Test examples: filtered, sorted and shown a page at a time from the data block of a run.
const PER_PAGE = 10;
const element = (name, about = {}, ...inside) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(about)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};
const drawn = (name, about, ...inside) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(about)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};
const per = thousandths => (thousandths / 1000).toFixed(2);
const mean = numbers => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const inShell = word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;

// A row has: id, beginning, sides, image, pictures, truth, difficulty, and what each role answered;
// that is: answer, right, confidence, moved, and of each seed: probability of the truth, answer, and
// whether it is right and moved where answers are texts, or confidence and moved where classes are not
// two; with two, the probabilities tell both.
const [ID, BEGIN, SIDES, IMAGE, PICTURES, TRUTH, DIFFICULTY, ROLES] = [0, 1, 2, 3, 4, 5, 6, 7];
const [ANSWER, RIGHT, SURE, MOVED, TRUTHS, ANSWERS, RIGHTS, SURES, MOVES] = [0, 1, 2, 3, 4, 5, 6, 6, 7];

const strip = (truths, colour) => {
  const x = p => 4 + p * .112;
  return drawn("svg", {viewBox: "0 0 120 14", class: "strip", "aria-hidden": "true"},
    drawn("path", {d: "M4 7H116M4 4V10M60 4V10M116 4V10", class: "axis"}),
    ...truths.map(p => drawn("circle", {cx: x(p), cy: 7, r: 2.6, style: `fill: ${colour}`})),
    drawn("path", {d: `M${x(mean(truths))} 1V13`, style: `stroke: ${colour}`, class: "mean"}));
};

const viewer = block => {
  const {command, methods, colours, tasks} = JSON.parse(block.textContent);
  const root = block.previousElementSibling, form = root.querySelector("form");
  const list = root.querySelector(".seen"), said = root.querySelector("output");
  const chips = [...form.querySelectorAll("[data-weak]")], fields = form.elements;
  const typed = root.querySelector(".command"), pages = [...root.querySelectorAll(".pages")];
  let found = [], page = 0;
  tasks.forEach((task, i) => fields.task.add(new Option(task.name, i)));
  methods.forEach((method, i) => fields.method.add(new Option(method, i)));
  fields.task.parentElement.hidden = tasks.length < 2;
  fields.method.parentElement.hidden = methods.length < 2;
  tasks[0].seeds.forEach(seed => fields.seed.add(new Option(seed, seed)));
  fields.seed.parentElement.hidden = tasks[0].seeds.length < 2;

  const task = () => tasks[fields.task.value];
  // What a role answered in one seed, in the form of what it answered over all.
  const ofSeed = (row, role, at) => {
    const {classes, written} = task(), answer = role[ANSWERS][at];
    if (written) {
      return [answer, role[RIGHTS][at], 1000, role[MOVES][at], [], [answer], [role[RIGHTS][at]]];
    }
    const truth = role[TRUTHS][at], two = classes.length === 2;
    return [answer, Number(row[TRUTH].includes(answer)),
      two ? Math.max(truth, 1000 - truth) : role[SURES][at],
      two ? Math.abs(truth - row[ROLES][0][TRUTHS][at]) : role[MOVES][at], [truth], [answer]];
  };
  const roles = row => {
    const seed = fields.seed.value;
    if (seed === "") return row[ROLES];
    row.seeds ??= {};
    return row.seeds[seed] ??= row[ROLES].map(role => ofSeed(row, role, task().seeds.indexOf(Number(seed))));
  };
  const student = row => roles(row)[1 + Number(fields.method.value)];
  const text = row => row.lower ??= [row[ID], row[BEGIN], ...row[SIDES]].join(" ").toLowerCase();
  const pressed = chip => chip.getAttribute("aria-pressed") === "true";
  const fits = (chip, row) => Number(chip.dataset.weak) === roles(row)[0][RIGHT]
    && Number(chip.dataset.student) === student(row)[RIGHT];

  const shownTask = () => {
    const {classes, difficulty} = task();
    fields.label.replaceChildren(new Option("any", ""), ...classes.map((c, i) => new Option(c, i)));
    fields.label.parentElement.hidden = !classes.length;
    fields.sort.querySelector("[value=difficulty]").hidden = !difficulty;
    if (!difficulty && fields.sort.value === "difficulty") fields.sort.value = "change";
  };

  const line = (name, role, i) => {
    const {answers, seeds, written} = task(), right = role[RIGHT] ? "right" : "wrong";
    const colour = colours[i], several = seeds.length > 1 && fields.seed.value === "";
    const cells = [
      element("th", {scope: "row"}, drawn("svg", {viewBox: "0 0 10 10", class: "mark",
        "aria-hidden": "true"}, drawn("rect", {x: 1, y: 1, width: 8, height: 8, rx: 2,
        style: `fill: ${colour}`})), name),
      element("td", {class: "said"}, answers[role[ANSWER]]),
      element("td", {class: right}, role[RIGHT] ? "✓ right" : "✗ wrong"),
    ];
    if (written) {
      const each = role[ANSWERS].map((a, s) => element("span", {class: role[RIGHTS][s] ? "right" : "wrong"}, answers[a]));
      cells.push(element("td", {class: "seeds"}, ...(several
        ? each.flatMap((e, s) => s ? [" | ", e] : [e]) : [])));
    } else {
      cells.push(element("td", {class: "number"}, per(mean(role[TRUTHS]))),
        element("td", {class: "drawn"}, strip(role[TRUTHS], colour)),
        element("td", {class: "seeds"}, several ? role[TRUTHS].map(per).join(" ") : ""));
    }
    const moves = i > 0 && i <= methods.length;
    cells.push(element("td", {class: "moved"}, moves ? `moved ${per(role[MOVED])}` : ""));
    return element("tr", {}, ...cells);
  };

  const card = (row, number) => {
    const {answers, difficulty} = task(), asks = [];
    if (row[BEGIN]) asks.push(element("blockquote", {}, row[BEGIN]));
    if (row[SIDES].length) {
      asks.push(element("div", {class: "sides"}, ...row[SIDES].map((side, i) => element("blockquote",
        row[TRUTH].includes(i) ? {class: "true"} : {},
        element("span", {class: "muted"}, `${answers[i]}${row[TRUTH].includes(i) ? ", the truth" : ""}`),
        element("br"), side))));
    }
    if (row[IMAGE]) asks.push(element("img", {class: "thumbnail", src: row[IMAGE], alt: row[BEGIN] || row[ID]}));
    for (const picture of row[PICTURES]) {
      const holder = element("template");
      holder.innerHTML = picture;
      asks.push(holder.content);
    }
    if (!asks.length) asks.push(element("p", {class: "muted"}, "The run kept no text of it."));
    const hard = difficulty && row[DIFFICULTY] !== null ? `, difficulty ${row[DIFFICULTY]}` : "";
    const names = ["supervisor", ...methods, "ceiling"];
    return element("li", {tabindex: "-1"},
      element("p", {class: "muted"}, `${number}. `, element("code", {}, row[ID]), hard),
      element("div", {class: "asked"}, ...asks),
      element("p", {class: "truth"}, "Truth: ", element("b", {}, row[TRUTH].map(t => answers[t]).join(" or "))),
      element("div", {class: "scroll"}, element("table", {},
        element("tbody", {}, ...roles(row).map((role, i) => line(names[i], role, i))))));
  };

  const asCommand = () => {
    const on = chips.filter(pressed).map(chip => chip.dataset.where), where = [];
    if (on.length === 1) where.push(on[0]);
    else if (on.length) where.push(on.map(one => `(${one})`).join(" or "));
    if (fields.label.value !== "") {
      const name = task().classes[fields.label.value];
      const plain = /^\w+$/.test(name) && !["and", "or", "not"].includes(name);
      where.push(`label ${plain ? name : fields.label.value}`);
    }
    const words = fields.search.value.trim().split(/\s+/).filter(Boolean);
    return [command, ...(tasks.length > 1 ? ["--task", inShell(task().name)] : []),
      ...(fields.method.value !== "0" ? ["--method", inShell(methods[fields.method.value])] : []),
      ...(where.length ? ["--where", inShell(where.join(", "))] : []),
      ...(fields.seed.value !== "" ? ["--seed", fields.seed.value] : []),
      ...(words.length ? ["--search", ...words.map(inShell)] : []),
      ...(fields.sort.value !== "change" ? ["--sort", fields.sort.value] : [])].join(" ");
  };

  const turn = (to, focus) => {
    const last = Math.max(0, Math.ceil(found.length / PER_PAGE) - 1);
    page = Math.min(Math.max(to, 0), last);
    const rows = found.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
    list.start = page * PER_PAGE + 1;
    list.replaceChildren(...rows.map((row, i) => card(row, page * PER_PAGE + i + 1)));
    for (const bar of pages) {
      bar.hidden = last === 0;
      bar.querySelector("span").textContent = `page ${page + 1} of ${last + 1}`;
      bar.querySelector("[data-turn='-1']").disabled = page === 0;
      bar.querySelector("[data-turn='1']").disabled = page === last;
    }
    if (focus) list.firstElementChild?.focus();
  };

  const filter = () => {
    const wanted = fields.search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const label = fields.label.value, on = chips.filter(pressed);
    const others = task().rows.filter(row => (label === "" || row[TRUTH].includes(Number(label)))
      && wanted.every(word => text(row).includes(word)));
    for (const chip of chips) {
      chip.querySelector("span").textContent = others.filter(row => fits(chip, row)).length.toLocaleString("en");
    }
    const by = {change: row => student(row)[MOVED], confidence: row => student(row)[SURE],
      difficulty: row => row[DIFFICULTY] ?? -Infinity}[fields.sort.value];
    found = others.filter(row => !on.length || on.some(chip => fits(chip, row)))
      .sort((a, b) => by(b) - by(a) || (a[ID] < b[ID] ? -1 : 1));
    said.textContent = `${found.length.toLocaleString("en")} of ${task().total.toLocaleString("en")} test examples`;
    typed.textContent = asCommand();
    turn(0);
  };

  form.addEventListener("input", event => {
    if (event.target === fields.task) shownTask();
    filter();
  });
  form.addEventListener("submit", event => event.preventDefault());
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(!pressed(chip)));
      filter();
    });
  }
  for (const bar of pages) {
    bar.addEventListener("click", event => {
      const by = event.target.dataset.turn;
      if (by) {
        turn(page + Number(by));
        root.scrollIntoView();
      }
    });
  }
  // Keys work while one of the examples has the focus, so that no key of the browser is taken.
  root.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("form")) return;
    const at = event.target.closest(".seen > li");
    const next = {j: "nextElementSibling", k: "previousElementSibling"}[event.key];
    if (next) (at ? at[next] : list.firstElementChild)?.focus();
    else if (event.key === "n") turn(page + 1, true);
    else if (event.key === "p") turn(page - 1, true);
    else if (event.key === "/") fields.search.focus();
    else return;
    event.preventDefault();
  });
  shownTask();
  filter();
  root.hidden = false;
};
document.querySelectorAll("script.examples").forEach(viewer);
