"""Every number of a page is that of results.parquet, or what `w2s table` prints of the same run."""

import json
import random
import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from weak2strong.cli import main
from weak2strong.report.page import page

NUMBER = r"-?\d+(?:\.\d+)?"
SCORES = ("floor", "student", "ceiling")
OVER = "PGR of each method over the tasks"
EVERY = "Every task and method, accuracy, means over seeds"
CHECKS = ("probe_ceiling", "name_baseline")
COMPARED = "PGR of every run and method"


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
            next(of.all("h4")).text(): next(of.all("span")).text().removesuffix(" test examples")
            for of in section.all("details", **{"class": "task"})
        }
        for name in ("scores", "tasks"):
            for figure in section.all("figure", id=f"{run}-{name}"):
                picture = next(figure.all("div", role="img"))
                # The intervals of bars are no scores.
                said = re.sub(r"\[[^]]*\]", "", picture.attrs["aria-label"])
                found[run, name] = re.findall(r"\d\.\d{3}", said)
    return found


def printed(folder, capsys):
    """What `w2s table` prints: PGR by task and method, the columns over tasks, and warnings."""
    assert main(["table", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
    return {
        "pgr": {(r[0], r[1]): r[5] for r in rows if len(r) == 8 and r[0] != "task"},
        "over": {r[0]: r[1:] for r in rows if len(r) == 4 and not r[0].startswith("PGR over")},
        "warnings": [x.removeprefix("warning: ") for x in lines if x.startswith("warning: ")],
    }


def value(text):
    """The number before an interval."""
    return "undefined" if text == "undefined" else text.split(" [")[0]


def expected(folders, tables):
    """What the page of some runs has to show, from results.parquet and what was printed."""
    results = [pl.read_parquet(f / "results.parquet").filter(metric="accuracy") for f in folders]
    heads = ["task", "method", *SCORES, "PGR [95%]", "probe", "names"]
    compared = [["run", "method", "tasks", "seeds", "PGR [95%]"]]
    wanted = {"cells": [], ("compared", COMPARED): compared}
    for i, (result, table) in enumerate(zip(results, tables, strict=True)):
        tasks = result["task"].unique(maintain_order=True).to_list()
        methods = result["method"].unique(maintain_order=True).to_list()
        seeds = result["seed"].n_unique()
        scores = {
            (t, m): np.array([result.filter(task=t, method=m)[s].mean() for s in SCORES])
            for t in tasks
            for m in methods
        }
        pgr = {key: (s[1] - s[0]) / (s[2] - s[0]) for key, s in scores.items()}
        for key, text in table["pgr"].items():
            assert value(text) in (f"{pgr[key]:.2f}", "undefined")
        checks = {
            t: [f"{result.filter(task=t)[c].unique().item():.3f}" for c in CHECKS] for t in tasks
        }
        run = f"run{i}"
        title = f"{result['weak'][0]} to {result['strong'][0]}"
        wanted[run, EVERY] = [heads] + [
            [*key, *(f"{x:.3f}" for x in s), table["pgr"][key], *checks[key[0]]]
            for key, s in scores.items()
        ]
        wanted[run, "about"] = [str(len(tasks)), str(seeds)]
        wanted[run, "warnings"] = table["warnings"]
        answered = pl.read_parquet(folders[i] / "predictions.parquet").group_by("task")
        sizes = answered.agg(pl.col("id").n_unique()).rows()
        wanted[run, "examples"] = {task: str(n) for task, n in sizes}
        whole = {}
        if len(tasks) > 1:
            used = [t for t in tasks if table["pgr"][t, methods[0]] != "undefined"]
            for method, texts in table["over"].items():
                of = [pgr[t, method] for t in used]
                gains, gaps = (
                    sum(scores[t, method][j] - scores[t, method][0] for t in tasks) for j in (1, 2)
                )
                means = (np.mean(of), np.median(of), gains / gaps)
                assert [value(t) for t in texts] == [f"{x:.2f}" for x in means]
                counts = [str(n) for n in dict.fromkeys((len(used), len(tasks)))]
                whole[method] = (texts[0], means[0], counts)
            counted = [f"{x} of {len(used)}" for x in ("mean", "median")]
            counted = ["PGR over tasks [95%]", *counted, f"pooled over {len(tasks)}"]
            wanted[run, OVER] = [counted] + [[m, *texts] for m, texts in table["over"].items()]
            wanted[run, "tasks"] = [
                f"{x:.3f}" for t in tasks for x in ends_and_range([scores[t, m] for m in methods])
            ]
        else:
            for m in methods:
                floor, student, ceiling = (f"{x:.3f}" for x in scores[tasks[0], m])
                whole[m] = (
                    table["pgr"][tasks[0], m],
                    pgr[tasks[0], m],
                    [student, floor, ceiling],
                )
        wanted[run, "scores"] = [
            f"{x:.3f}" for x in bars([[scores[t, m] for m in methods] for t in tasks])
        ]
        wanted[run, "sentences"] = {
            m: sentence(m, text, share, before, table["warnings"])
            for m, (text, share, before) in whole.items()
        }
        compared += [[title, m, str(len(tasks)), str(seeds), whole[m][0]] for m in methods]
        wanted["cells"] += [cell(i, row, table["pgr"]) for row in result.iter_rows(named=True)]
    return wanted


def ends_and_range(of_methods):
    """Floor, lowest and highest students, and ceiling of a task."""
    floor, _, ceiling = of_methods[0]
    students = [s[1] for s in of_methods]
    return floor, min(students), max(students), ceiling


def bars(scores):
    """Means over tasks of (tasks, methods, 3): floor, a student a method, ceiling."""
    floor, _, ceiling = np.mean([of[0] for of in scores], axis=0)
    return floor, *np.mean(scores, axis=0)[:, 1], ceiling


def sentence(method, text, share, before, warnings):
    """The numbers of a method's sentence: its scores or tasks, then PGR with its interval, or why
    there is none."""
    if text == "undefined":
        (why,) = [w for w in warnings if f"{method}: PGR is undefined" in w]
        return before + re.findall(NUMBER, why.partition("undefined")[2])
    pgr, low, high = re.findall(NUMBER, text)
    return [*before, f"{100 * share:.0f}", pgr, "95", low, high]


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
def text(runs):
    """Their page without style and pictures, whose labels stay."""
    return re.sub(r"<(svg|style)\b.*?</\1>", "", page(runs), flags=re.DOTALL)


def test_every_number_is_that_of_the_results_and_no_other_would_do(runs, text, capsys):
    wanted = expected(runs, [printed(folder, capsys) for folder in runs])
    assert [row[5] == "undefined" for row in wanted["run0", EVERY]].count(True) == 3
    assert {row[5] for row in wanted["run2", EVERY][1:]} == {"undefined"}
    assert shown(text) == wanted
    digits = vouched(text)
    assert len(digits) > 1000
    for place in random.Random(0).sample(digits, 100):
        other = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        assert told(other) != wanted, other[place - 60 : place + 20]


def vouched(text):
    """The places of all digits in tables, sentences, warnings, labels of scores, and cells."""
    spans = (
        r"<table data-sortable.*?</table>",
        r"<dd>.*?</dd>",
        r"<ul class=\"warnings\">.*?</ul>",
        r"aria-label=\"(?:Bars|a-task): [^\"[]*\"",
        r"<span class=\"muted\">\d+ test examples",
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
