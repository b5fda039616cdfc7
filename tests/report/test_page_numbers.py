"""Every number of a page is that of results.parquet, or what `w2s table` and `w2s analyse` say of
the same run."""

import json
import random
import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from scipy.stats import sem, t

from weak2strong.cli import main
from weak2strong.report.page import page

NUMBER = r"-?\d+(?:\.\d+)?"
SCORES = ("floor", "student", "ceiling")
OVER = "PGR of each method over the tasks"
EVERY = "Every task and method, accuracy, means over seeds"
CHECKS = ("probe_ceiling", "ngrams")
COMPARED = "PGR of every run and method"
FLAT = "{}: PGR is undefined. The ceiling is not clearly above the floor"


class Node:
    """An element: tag, attributes, and what is in it, elements and texts."""

    def __init__(self, tag, attrs=()):
        self.tag, self.attrs, self.inside = tag, dict(attrs), []

    def all(self, tag, **attrs):
        """Elements below it, in order."""
        for node in self.inside:
            if isinstance(node, Node):
                if node.tag == tag and attrs.items() <= node.attrs.items():
                    yield node
                yield from node.all(tag, **attrs)

    def texts(self):
        """Of the elements in it, one each."""
        return [node.text() for node in self.inside if isinstance(node, Node)]

    def text(self):
        return "".join(n.text() if isinstance(n, Node) else n for n in self.inside)


class Tree(HTMLParser):
    """A page as a tree."""

    VOID = frozenset({"meta", "link", "input"})

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open = [Node("page")]
        self.feed(text)
        (self.page,) = self.open

    def handle_starttag(self, tag, attrs):
        self.open[-1].inside.append(node := Node(tag, attrs))
        if tag not in self.VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].inside.append(Node(tag, attrs))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def shown(text):
    """What a page says in numbers, by where it stands."""
    tree = Tree(text).page
    found = {"cells": json.loads(next(tree.all("script", id="data")).text())["rows"]}
    for section in tree.all("section"):
        run = section.attrs["aria-labelledby"]
        for table in section.all("table"):
            caption = next(table.all("caption"), Node("")).text()
            if caption in (OVER, EVERY, COMPARED):
                found[run, caption] = [row.texts() for row in table.all("tr")]
        if not re.fullmatch(r"run\d+", run):
            continue
        found[run, "about"] = re.findall(NUMBER, next(section.all("p")).text().split(" PGR")[0])
        found[run, "warnings"] = [
            text for of in section.all("ul", **{"class": "warnings"}) for text in of.texts()
        ]
        found[run, "sentences"] = {
            next(part.all("dt")).text().strip(): re.findall(NUMBER, next(part.all("dd")).text())
            for of in section.all("dl", **{"class": "found"})
            for part in of.all("div")
        }
        found[run, "examples"] = {
            task["name"]: str(len(task["rows"]))
            for of in section.all("script", **{"class": "examples"})
            for task in json.loads(of.text())["tasks"]
        }
        found[run, "analyses"] = [
            [row.texts() for row in table.all("tr")]
            for of in section.all("details", **{"class": "analyses"})
            for table in of.all("table")
        ]
        for name in ("scores", "tasks"):
            for figure in section.all("figure", id=f"{run}-{name}"):
                picture = next(figure.all("div", role="img"))
                # The intervals of bars are no scores.
                said = re.sub(r"\[[^]]*\]", "", picture.attrs["aria-label"])
                found[run, name] = re.findall(r"\d\.\d{3}", said)
    return found


def printed(folder, capsys):
    """What `w2s table` prints: PGR by task and method, the columns over tasks, and warnings; the
    tables of `w2s analyse`, and the paired differences of `w2s compare`."""
    page = folder.with_suffix(".md")
    assert main(["analyse", str(folder), "--markdown", str(page)]) == 0
    capsys.readouterr()
    assert main(["compare", str(folder), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)["compared"]
    assert main(["table", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
    title = next((i for i, r in enumerate(rows) if r[0] == "PGR over tasks [95%]"), len(rows))
    over = [r for r in rows[title:] if len(r) == len(rows[title])]
    return {
        "differences": {m["method"]: (m["effect"]["mean"], *m["on_these_tasks"]) for m in compared},
        "analyses": in_markdown(page.read_text()),
        "pgr": {(r[0], r[1]): r[5] for r in rows if len(r) == 8 and r[0] != "task"},
        "over": {r[0]: r[1:] for r in over[1:]},
        "over titles": over[0] if over else [],
        "warnings": [x.removeprefix("warning: ") for x in lines if x.startswith("warning: ")],
    }


def in_markdown(text):
    """The tables of a page of Markdown, rows of texts each."""
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = [[row.strip("| ").split(" | ") for row in table.splitlines()] for table in tables]
    return [[[re.sub(r"\\(.)", r"\1", x) for x in row] for row in (t[0], *t[2:])] for t in rows]


def value(text):
    """The number before an interval."""
    return "undefined" if text == "undefined" else text.split(" [")[0]


def expected(folders, tables):
    """What the page of some runs has to show, from results.parquet and what was printed."""
    compared = [["run", "method", "tasks", "seeds", "PGR [95%]"]]
    wanted = {"cells": [], ("compared", COMPARED): compared}
    for i, (folder, table) in enumerate(zip(folders, tables, strict=True)):
        result = pl.read_parquet(folder / "results.parquet").filter(metric="accuracy")
        tasks = result["task"].unique(maintain_order=True).to_list()
        methods = result["method"].unique(maintain_order=True).to_list()
        counts = [str(len(tasks)), str(result["seed"].n_unique())]
        scores = {
            (t, m): np.array([result.filter(task=t, method=m)[s].mean() for s in SCORES])
            for t in tasks
            for m in methods
        }
        known = supervised(folder)
        whole = over_tasks(scores, table, known) if len(tasks) > 1 else of_one_task(scores, table)
        by_task = [[scores[t, m] for m in methods] for t in tasks]
        averaged = [of for t, of in zip(tasks, by_task, strict=True) if t in known or not known]
        answered = pl.read_parquet(folder / "predictions.parquet").group_by("task")
        of_run = {
            EVERY: every_line(result, scores, table),
            "about": counts,
            "analyses": table["analyses"],
            "warnings": table["warnings"],
            "examples": {t: str(n) for t, n in answered.agg(pl.col("id").n_unique()).rows()},
            "scores": [f"{x:.3f}" for x in bars(averaged)],
            "sentences": {
                m: sentence(*of_method, table["warnings"])
                + paired(table["differences"].get(m), of_method[2] if len(tasks) > 1 else [])
                for m, of_method in whole.items()
            },
        }
        if len(tasks) > 1:
            of_run[OVER] = [table["over titles"]] + [[m, *x] for m, x in table["over"].items()]
            of_run["tasks"] = [f"{x:.3f}" for of in by_task for x in ends_and_range(of)]
        wanted |= {(f"run{i}", name): what for name, what in of_run.items()}
        title = f"{result['weak'][0]} to {result['strong'][0]}"
        for m in methods:
            pgr, _, before = whole[m]
            # A mean PGR is of the tasks that a sentence names first.
            of = " of ".join(before) if len(tasks) > 1 else counts[0]
            compared.append([title, m, of, counts[1], pgr])
        wanted["cells"] += [cell(i, row, table["pgr"]) for row in result.iter_rows(named=True)]
    return wanted


def every_line(result, scores, table):
    """The table of tasks and methods: means over seeds, and the checks, which have no seeds."""
    rows = [["task", "method", *SCORES, "PGR [95%]", "probe", "ngrams"]]
    for (task, method), means in scores.items():
        pgr, one = table["pgr"][task, method], result.filter(task=task, method=method)
        assert value(pgr) in (f"{recovered(means):.2f}", "undefined", "undefined-wide")
        checks = [f"{one[c].unique().item():.3f}" for c in CHECKS]
        rows.append([task, method, *(f"{x:.3f}" for x in means), pgr, *checks])
    return rows


def supervised(folder):
    """The tasks whose supervisors are clearly above chance, over test examples alone."""
    floors = pl.read_parquet(folder / "predictions.parquet").filter(role="floor")
    right = pl.col("probabilities").list.arg_max() == pl.col("label")
    of_each = floors.group_by("task", "id").agg(
        right.mean().alias("right"), pl.col("label").first()
    )
    known = []
    for (task,), rows in of_each.group_by("task"):
        low, _ = t.interval(0.95, len(rows) - 1, rows["right"].mean(), sem(rows["right"]))
        if low > max(rows["label"].mean(), 1 - rows["label"].mean()):
            known.append(task)
    return known


def over_tasks(scores, table, known):
    """By method: PGR with its interval, the share of the gap, and the counts of tasks, for a
    sentence. What was printed is checked against the means of scores."""
    tasks = list(dict.fromkeys(task for task, _ in scores))
    found, told = {}, table["warnings"]
    for method, texts in table["over"].items():
        # A gap may be clear, and its size not: such a task has no PGR of its own.
        having = [t for t in tasks if not any(w.startswith(FLAT.format(t)) for w in told)]
        each, apart = (
            [recovered(scores[t, method]) for t in having if (t in known) == one]
            for one in (True, False)
        )
        pooled = recovered(sum(scores[t, method] for t in tasks))
        of = (np.mean(each), np.median(each), pooled, *([np.mean(apart)] if apart else []))
        shown_as = [value(text) for text in texts]
        assert shown_as == [
            s if s == "undefined-wide" else f"{x:.2f}" for s, x in zip(shown_as, of, strict=True)
        ]
        said = [f"{x} of {len(each)}" for x in ("mean", "median")]
        said += [f"pooled over {len(tasks)}", *([f"{len(apart)} at chance"] if apart else [])]
        assert table["over titles"][1:] == said
        counts = [str(n) for n in dict.fromkeys((len(each), len(tasks)))]
        found[method] = (texts[0], of[0], counts)
    return found


def of_one_task(scores, table):
    """By method: PGR with its interval, the share of the gap, and scores, for a sentence."""
    return {
        m: (table["pgr"][t, m], recovered(means), [f"{means[j]:.3f}" for j in (1, 0, 2)])
        for (t, m), means in scores.items()
    }


def recovered(means):
    floor, student, ceiling = means
    return (student - floor) / (ceiling - floor)


def ends_and_range(of_methods):
    """Floor, lowest and highest students, and ceiling of a task."""
    floor, _, ceiling = of_methods[0]
    students = [s[1] for s in of_methods]
    return floor, min(students), max(students), ceiling


def bars(scores):
    """Means over tasks of (tasks, methods, 3): floor, a student a method, ceiling."""
    floor, _, ceiling = np.mean([of[0] for of in scores], axis=0)
    return floor, *np.mean(scores, axis=0)[:, 1], ceiling


def sentence(text, share, before, warnings):
    """The numbers of a method's sentence: its scores or tasks, then PGR with its interval, or why
    there is none."""
    if text == "undefined":
        # The gap is that of all methods.
        (why,) = [w for w in warnings if ": PGR is undefined" in w]
        return before + re.findall(NUMBER, why.partition("undefined")[2])
    if text == "undefined-wide":
        return [*before, "-3", "3"]
    pgr, low, high = re.findall(NUMBER, text)
    return [*before, f"{100 * share:.0f}", pgr, "95", low, high]


def paired(difference, tasks):
    """The numbers of the sentence about a method's difference to the baseline, and of how many
    tasks it is where PGR is of fewer."""
    if difference is None:
        return []
    mean, low, high = difference
    clear = low > 0 or high < 0
    over = tasks[1:]
    return [f"{abs(mean) if clear else mean:.3f}", "95", f"{low:.3f}", f"{high:.3f}", *over]


def cell(i, row, pgr):
    """A row of the table of cells: of one seed, at four digits."""
    defined = pgr[row["task"], row["method"]] != "undefined" and row["ceiling"] > row["floor"]
    own = round(row["pgr_of_cell"], 4) if defined else None
    which = [row[c] for c in ("task", "method", "seed")]
    return [i, *which, *(round(row[s], 4) for s in SCORES), own]


@pytest.fixture(scope="module")
def runs(made_run, tmp_path_factory):
    """Four tasks, one of which has no gap; one task; and one on which nothing can be told apart."""
    at = tmp_path_factory.mktemp("runs")
    tasks = ["a-task", "b-task", "c-task", "d-task"]
    several = made_run(at / "several", tasks, ["naive", "confidence", "kl"], examples=20)
    one = made_run(at / "one", ["a-task"], examples=200, strong="atlas-m")
    few = made_run(at / "few", ["a-task"], seeds=2, examples=10, strong="atlas-l")
    return [several, one, few]


@pytest.fixture(scope="module")
def text(runs, undrawn_pages):
    """Their page without style and pictures, whose labels stay."""
    with undrawn_pages():
        return re.sub(r"<(svg|style)\b.*?</\1>", "", page(runs), flags=re.DOTALL)


def test_every_number_is_that_of_the_results_and_no_other_would_do(runs, text, capsys):
    wanted = expected(runs, [printed(folder, capsys) for folder in runs])
    assert [row[5] == "undefined" for row in wanted["run0", EVERY]].count(True) == 3
    assert {row[5] for row in wanted["run2", EVERY][1:]} == {"undefined"}
    assert shown(text) == wanted
    digits = vouched(text)
    assert len(digits) > 1000
    for place in random.Random(0).sample(digits, 15):
        other = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        assert told(other) != wanted, other[place - 60 : place + 20]


def vouched(text):
    """The places of all digits in tables, sentences, warnings, labels of scores, and cells."""
    spans = (
        r"<table data-sortable.*?</table>",
        r"<dd>.*?</dd>",
        r"<ul class=\"warnings\">.*?</ul>",
        r"aria-label=\"(?:Bars|a-task): [^\"[]*\"",
        r"<p>Accuracy on .*? PGR,",
        r"\"rows\": \[.*?\]\]",
    )
    places = list[int]()
    for span in spans:
        found = list(re.finditer(span, text, re.DOTALL))
        assert found, span
        for match in found:
            part = re.sub(r"<[^>]*>", lambda tag: " " * len(tag[0]), match[0])
            places += [match.start() + m.start() for m in re.finditer(r"\d", part)]
    return places


def told(text):
    """What a page says; None where its cells are no JSON, as with a number 07."""
    try:
        return shown(text)
    except ValueError:
        return None
