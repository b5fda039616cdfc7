"""The page of results: every number of the lines, and what seen and unseen entities differ by."""

from dataclasses import replace

import numpy as np
import pytest

from weak2strong.analysis import recovered
from weak2strong.analysis.summary import Line
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.table import pgr_text
from weak2strong.report import markdown
from weak2strong.report.markdown import Section, results_page

TRAINING = Training(learning_rate=1e-4, head_rate=1e-3)
CONFIG = StudyConfig(
    tasks=("one", "two"),
    weak=ModelSpec("small"),
    strong=ModelSpec("large"),
    methods=("naive", "confidence"),
    seeds=3,
    weak_training=TRAINING,
    strong_training=TRAINING,
)


def answers(accuracy_of_seeds: tuple[float, ...], n: int = 400) -> np.ndarray:
    """Probabilities (seeds, n, 2) that are right on so many of n examples of class 1."""
    right = [
        np.random.default_rng([3, i]).permutation(n) < a * n
        for i, a in enumerate(accuracy_of_seeds)
    ]
    return np.stack([1 - np.stack(right), np.stack(right)], axis=-1).astype(float)


def line(task: str, method: str, floor: float, student: float, ceiling: float) -> Line:
    """A line of three seeds around these accuracies."""
    roles = [answers((x, x + 0.01, x - 0.01)) for x in (floor, student, ceiling)]
    groups = [f"g{i}" for i in range(400)]
    found = recovered(*roles, np.ones(400, dtype=int), groups, accuracy)
    return Line(task, "small", "large", method, "accuracy", found, ceiling - 0.05, 0.55, 0.5)


def rows_of(page: str, section: str) -> dict[str, list[str]]:
    """The cells of each row of the first table below a heading, by the row's first cell."""
    body = page.split(f"## {section}\n")[1].split("\n## ")[0]
    table = [x.strip("| \n").split(" | ") for x in body.splitlines() if x.startswith("|")]
    assert len({len(row) for row in table}) == 1
    return {first: rest for first, *rest in table}


@pytest.fixture
def seen() -> Section:
    lines = [line("one", m, 0.6, s, 0.8) for m, s in (("naive", 0.7), ("confidence", 0.75))]
    lines += [line("two", m, 0.7, 0.7, 0.7) for m in ("naive", "confidence")]
    return Section(CONFIG, lines)


@pytest.fixture
def unseen() -> Section:
    lines = [line(t, m, 0.6, 0.6, 0.65) for t in CONFIG.tasks for m in CONFIG.methods]
    return Section(replace(CONFIG, entities="unseen"), lines)


def test_a_row_has_the_scores_of_every_method(seen):
    rows = rows_of(results_page([seen], "the command"), "small to large")
    pgrs = [pgr_text(x.recovered.pgr) for x in seen.lines]
    assert rows["task"][1:-2] == ["ngrams", "floor", "naive", "confidence", "ceiling", "probe"]
    assert rows["one"] == ["400", "0.550", "0.600", "0.700", "0.750", "0.800", "0.750", *pgrs[:2]]
    assert rows["two"][-2:] == ["undefined", "undefined"]


def test_the_page_says_how_it_was_made_and_what_to_know(seen):
    page = results_page([seen], "the command")
    assert "Written by `the command`" in page
    assert "Accuracy, mean of 3 seeds. PGR intervals: fieller" in page
    assert "0.0001 and 0.001 (strong)" in page
    assert "- 1 of 2 tasks have a ceiling 0.10 or more above a floor" in page
    assert "- On 2 of 2 tasks the ceiling is above the probe's score or at most 0.02 below." in page
    assert "- two: PGR is undefined." in page


def test_a_sentence_begins_with_a_capital_and_a_name_stays_as_it_is(seen, monkeypatch):
    said = ["on one task it rains.", "two: the ceiling is too low.", "one: so is this."]
    monkeypatch.setattr(markdown, "warnings_of", lambda lines: said)
    page = results_page([seen], "a command")
    assert [f"- {text}" for text in ("On" + said[0][2:], *said[1:])] == page.splitlines()[-3:]


def test_a_floor_at_chance_does_not_count_as_a_wide_gap(seen):
    at_chance = [replace(x, chance=0.7) for x in seen.lines]
    assert "- 0 of 2 tasks have a ceiling" in results_page([Section(CONFIG, at_chance)], "it")


def test_seen_and_unseen_are_compared_where_nothing_else_differs(seen, unseen):
    page = results_page([seen, unseen], "it")
    rows = rows_of(page, "What is knowledge: small to large, seen and unseen")
    assert rows["one"] == ["0.550", "0.550", "0.600", "0.600", "0.800", "0.650", "+0.150"]
    assert "## small to large, unseen entities\n" in page
    other = replace(unseen, config=replace(unseen.config, weak=ModelSpec("medium")))
    assert "What is knowledge" not in results_page([seen, other], "it")
