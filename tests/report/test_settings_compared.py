"""Runs that differ in a setting: what differs, what is paired, and every way of printing it."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import t

from weak2strong import Results, UserError
from weak2strong.analysis.settings import differing
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.report.page import page

RATES = Training(learning_rate=1e-4, head_rate=1e-3, stopping="weak-validation")
LAST = replace(RATES, stopping="none")
BETTER = {"floor": 1.0, "student": 2.4, "ceiling": 3.5}
CHANGED = {"strong_training": LAST, "skills": BETTER, "draw": 1}
"""The run with another setting: its students are better, and nothing else is."""


@pytest.fixture(scope="module")
def make(made_run):
    """A function that writes a run with rates of its own."""

    def make(folder, tasks=("a-task", "b-task"), **more):
        return made_run(
            folder, tasks, **({"weak_training": RATES, "strong_training": RATES} | more)
        )

    return make


@pytest.fixture(scope="module")
def runs(make, tmp_path_factory):
    at = tmp_path_factory.mktemp("settings")
    return [make(at / "best"), make(at / "last", **CHANGED)]


def said(capsys, *command, code=0):
    """What a command prints, which ends with that code."""
    capsys.readouterr()
    assert main([str(word) for word in command]) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def right(folder, task, role, method=""):
    """Whether the answers are right, by id, ``(seeds, examples)``; row by row, not by order."""
    rows = pl.read_parquet(folder / "predictions.parquet")
    rows = rows.filter(task=task, role=role, method=method).sort("seed", "id")
    says = np.array([max((0, 1), key=p.__getitem__) for p in rows["probabilities"].to_list()])
    hits = says == rows["label"].to_numpy()
    return hits.reshape(rows["seed"].n_unique(), -1).astype(float)


def by_hand(before, after):
    """Mean difference over tasks whose entities differ, and the half-width of its interval."""
    d = [b - a for a, b in zip(before, after, strict=True)]
    by_seed = np.mean([x.mean(axis=1) for x in d], axis=0)
    seeds = len(by_seed)
    examples = at_hand = 0.0
    for x in d:
        apart, n = x - x.mean(axis=1, keepdims=True), x.shape[1]
        pairs = [apart[s] @ apart[r] for s in range(seeds) for r in range(seeds) if r != s]
        examples += np.mean(pairs) / (n - 1) / n / len(d) ** 2
        at_hand += x.mean(axis=0).var(ddof=1) / n / len(d) ** 2
    squared = t.ppf(0.975, seeds - 1) ** 2 * by_seed.var(ddof=1) / seeds
    of_examples = t.ppf(0.975, d[0].shape[1] - 1) ** 2
    squared += of_examples * max(examples, 0)
    # Never less than what other test examples alone would change.
    return by_seed.mean(), np.sqrt(max(squared, of_examples * at_hand))


@pytest.mark.parametrize(("role", "method"), [("floor", ""), ("student", "naive"), ("ceiling", "")])
def test_a_row_is_what_the_answers_say_by_hand(runs, role, method):
    found = Results(runs[1]).against(Results(runs[0]))
    row = next(x for x in found.rows if (x.role, x.method) == (role, method))
    sides = [[right(run, task, role, method) for task in ("a-task", "b-task")] for run in runs]
    value, half = by_hand(*sides)
    x = row.difference
    assert (row.reference, row.run) == pytest.approx([np.mean(side) for side in sides])
    assert x.value == pytest.approx(value)
    assert (x.interval.low + x.interval.high) / 2 == pytest.approx(value)
    assert (x.interval.high - x.interval.low) / 2 == pytest.approx(half, rel=0.1)
    assert x.by_task["b-task"] == pytest.approx(sides[1][1].mean() - sides[0][1].mean())


def test_pgrs_differ_by_the_ratios_of_each_run(runs):
    found = Results(runs[1]).against(Results(runs[0]))
    row = next(x for x in found.rows if (x.role, x.method) == ("pgr", "confidence"))
    means = [
        np.mean([x.recovered.value for x in Results(run).lines() if x.method == "confidence"])
        for run in runs
    ]
    assert (row.reference, row.run) == pytest.approx(means)
    assert row.difference.value == pytest.approx(means[1] - means[0])
    assert row.difference.interval.low > 0


def test_pgr_leaves_out_tasks_whose_supervisors_are_at_chance_in_either_run(runs, make, tmp_path):
    chance = {"floor": 0.0, "student": 1.5, "ceiling": 3.5}
    alone = make(tmp_path / "alone", ["b-task"], skills=chance, strong_training=LAST)
    both = make(tmp_path / "both", strong_training=LAST)
    kept = pl.read_parquet(both / "predictions.parquet").filter(task="a-task")
    pl.concat([kept, pl.read_parquet(alone / "predictions.parquet")]).write_parquet(
        both / "predictions.parquet"
    )
    found = Results(both).against(Results(runs[0]))
    by_role = {(row.role, row.method): row.difference.by_task for row in found.rows}
    assert set(by_role["student", "naive"]) == {"a-task", "b-task"}
    assert set(by_role["pgr", "naive"]) == {"a-task"}


def test_rows_are_paired_by_id_and_not_by_their_order(runs, tmp_path):
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for file in runs[1].iterdir():
        if file.is_file():
            (shuffled / file.name).write_bytes(file.read_bytes())
    rows = pl.read_parquet(runs[1] / "predictions.parquet")
    rows.sample(fraction=1.0, shuffle=True, seed=0).write_parquet(shuffled / "predictions.parquet")
    one, other = (Results(run).against(Results(runs[0])) for run in (runs[1], shuffled))
    tables = [x.table().sort("role", "method") for x in (one, other)]
    assert_frame_equal(*tables)


def test_of_different_seeds_those_count_that_both_have(runs, make, tmp_path):
    more = make(tmp_path / "more", seeds=5, strong_training=LAST)
    found = Results(more).against(Results(runs[0]))
    assert found.seeds == 3
    row = next(x for x in found.rows if x.role == "ceiling")
    whole = [right(more, task, "ceiling")[:3] for task in ("a-task", "b-task")]
    assert row.run == pytest.approx(np.mean(whole))


def test_compare_says_what_differs_and_subtracts(runs, capsys):
    shown = said(capsys, "compare", *runs)
    assert "B differs from A in strong_training.stopping: weak-validation (A), none (B)." in shown
    assert "B against A: accuracy on 2 tasks, 600 test examples, mean of 3 seeds" in shown
    assert "B - A [95%]" in shown
    assert "Methods against" not in shown
    assert "Students of naive score 0." in shown
    assert "higher in B than in A (95% interval +0." in shown
    assert "Supervisors do not clearly differ: " in shown
    assert "2 of 2" in shown


def test_json_python_and_the_printed_table_say_the_same(runs, capsys):
    found = json.loads(said(capsys, "compare", *runs, "--json"))
    table = Results(runs[1]).against(Results(runs[0])).table()
    rows = [{k: row[k] for k in table.columns} for row in found["settings"]]
    assert rows == table.to_dicts()
    assert {(row["reference"], row["run"]) for row in found["settings"]} == {
        (str(runs[0]), str(runs[1]))
    }
    assert found["differs"] == [
        {
            "reference": str(runs[0]),
            "run": str(runs[1]),
            "setting": "strong_training.stopping",
            "reference_value": "weak-validation",
            "run_value": "none",
        }
    ]
    assert [row["difference_wide"] for row in found["settings"]] == [None] * 4 + [False] * 2
    shown = said(capsys, "compare", *runs)
    for row in found["settings"][:4]:
        ends = f"[{row['difference_low']:+.3f}, {row['difference_high']:+.3f}]"
        assert f"{row['difference']:+.3f} {ends}" in shown


def test_table_and_page_show_the_same_comparison(runs, tmp_path, capsys):
    alone = said(capsys, "compare", *runs).strip()
    shown = said(capsys, "table", *runs)
    assert alone in shown
    assert "A: atlas-xs to atlas-s" in shown
    assert "B: atlas-xs to atlas-s" in shown
    found = json.loads(said(capsys, "table", *runs, "--json"))
    assert len(found["settings"]) == 6
    assert len(found["results"]) == 8
    file = tmp_path / "page.md"
    said(capsys, "table", *runs, "--markdown", file)
    differs = "B differs from A in strong_training.stopping: weak-validation (A), none (B)."
    for text in (file.read_text(), page(runs)):
        assert differs in text
        assert "B against A: accuracy on 2 tasks" in text
    assert differs not in page(runs[:1])


def test_more_runs_are_compared_with_the_first(runs, make, tmp_path, capsys):
    hard = make(tmp_path / "hard", labels="hard")
    shown = said(capsys, "compare", *runs, hard)
    assert "C differs from A in labels: soft (A), hard (C)." in shown
    assert "C against A: accuracy" in shown
    assert "C against B" not in shown


def test_methods_are_compared_where_that_is_asked_for(runs, capsys):
    assert "Methods against naive over 2 tasks" in said(
        capsys, "compare", *runs, "--between", "methods"
    )
    assert "Methods against naive over 2 tasks" in said(
        capsys, "compare", *runs, "--test", "t-two-sided"
    )


def test_tasks_with_other_test_examples_are_left_out_with_the_reason(make, tmp_path, capsys):
    one, other = make(tmp_path / "one"), make(tmp_path / "other", strong_training=LAST)
    change(other, "b-task", id=pl.col("id").str.replace("^0", "f"))
    shown = said(capsys, "compare", one, other)
    assert "accuracy on 1 task, 300 test examples" in shown
    assert "b-task: the runs were tested on other examples (0 of 300 in common)." in shown


def change(folder, task, **columns):
    """Change columns of the predictions of a task."""
    path = folder / "predictions.parquet"
    rows = pl.read_parquet(path)
    of = pl.col("task") == task
    changed = [
        pl.when(of).then(x).otherwise(pl.col(name)).alias(name) for name, x in columns.items()
    ]
    rows.with_columns(changed).write_parquet(path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"id": pl.col("id").str.replace("^0", "f")},
            "Nothing can be paired, since a-task: the runs were tested on other examples (0 of 300 "
            "in common): compare runs with the same split_seed, data and difficulty of the test.",
        ),
        ({"label": 1 - pl.col("label")}, "have other ground truth for the same test examples"),
    ],
)
def test_where_nothing_can_be_paired_one_sentence_says_so(make, tmp_path, capsys, columns, message):
    one = make(tmp_path / "one", ["a-task"])
    other = make(tmp_path / "other", ["a-task"], strong_training=LAST)
    change(other, "a-task", **columns)
    error = said(capsys, "compare", one, other, code=2)
    assert message in error
    assert error.count("\n") == 1
    with pytest.raises(UserError, match="Nothing can be paired"):
        Results(other).against(Results(one))
    assert "The runs are not compared with each other. Nothing can be paired" in said(
        capsys, "table", one, other
    )


def test_what_cannot_be_compared_between_settings_is_told(runs, make, tmp_path, capsys):
    elsewhere = make(tmp_path / "elsewhere", ["c-task"], strong_training=LAST)
    command = ("compare", "--between", "settings")
    for more, message in (
        ((runs[0], elsewhere), "The runs have no task in common (a-task, b-task; c-task)"),
        ((runs[0], runs[0]), "The runs differ in no setting"),
        ((runs[0],), "--between settings takes two runs or more"),
        ((*runs, "--score", "pgr"), "--between settings takes two runs or more"),
        ((*runs, "--metric", "brier"), "of which more is better 'brier'"),
    ):
        error = said(capsys, *command, *more, code=2)
        assert message in error
        assert error.count("\n") == 1
    metric = make(tmp_path / "metric", strong_training=LAST, metric="roc_auc")
    assert "differ in metric (accuracy, roc_auc): choose with --metric" in said(
        capsys, *command, runs[0], metric, code=2
    )
    assert "roc auc" in said(capsys, *command, runs[0], metric, "--metric", "roc_auc").lower()


def test_settings_are_named_as_in_a_study_file_and_alike_ones_together():
    one = StudyConfig(weak_training=RATES, strong_training=RATES)
    other = replace(
        one, weak_training=LAST, strong_training=LAST, strong=ModelSpec("atlas-m"), labels="hard"
    )
    other = replace(other, tasks=("x",), seeds=2, methods=("naive",), metric="roc_auc")
    found = {d.settings: (d.reference, d.run) for d in differing(one, other)}
    assert found == {
        ("strong.name",): ("atlas-l", "atlas-m"),
        ("labels",): ("soft", "hard"),
        ("weak_training.stopping", "strong_training.stopping"): ("weak-validation", "none"),
    }
    assert differing(one, replace(one, seeds=9)) == ()


def test_pairs_of_models_are_a_setting_too(runs, make, tmp_path, capsys):
    larger = make(tmp_path / "larger", strong="atlas-m")
    shown = said(capsys, "compare", runs[0], larger)
    assert "B differs from A in strong.name: atlas-s (A), atlas-m (B)." in shown


def test_answers_in_words_are_paired_too(make, tmp_path, capsys):
    one = make(tmp_path / "one", ["mates"], written=True)
    other = make(tmp_path / "other", ["mates"], written=True, draw=0, strong_training=LAST)
    shown = said(capsys, "compare", one, other)
    assert "B against A: exact match on 1 task" in shown
    assert "Students of naive score the same in both." in shown
    assert "They" not in shown
