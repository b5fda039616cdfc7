"""All analyses of a run at once: best ceilings, columns, and what is left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.analyse import analyse
from weak2strong.analysis.analysed import analyses_document
from weak2strong.analysis.analyses import ANALYSES, every_analysis
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.recovered import recovered
from weak2strong.analysis.summary import Spent
from weak2strong.analysis.tested import read_tested
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.work import Work
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import accuracy

N, SEEDS = 400, 3
RATES = Training(learning_rate=1e-4, head_rate=1e-3)
METHODS = ("naive", "finetune-then-probe")
ACCURACY = {"floor": 0.6, "naive": 0.7, "finetune-then-probe": 0.75, "ceiling": 0.8}


def config(*tasks: str, **changes) -> StudyConfig:
    return StudyConfig(
        tasks=tasks,
        methods=METHODS,
        seeds=SEEDS,
        weak=ModelSpec("atlas-xs"),
        strong=ModelSpec("nowhere/model"),
        weak_training=RATES,
        strong_training=RATES,
    )


def rows(task: str, probe: float, difficulty: float | None = None) -> pl.DataFrame:
    """Predictions of a task; roles are right on such shares, give or take a percent a seed."""
    rng = np.random.default_rng(len(task))
    labels = rng.integers(2, size=N)
    answerers = [("probe", "", -1, probe), ("ngrams", "", -1, 0.5)]
    for s in range(SEEDS):
        answerers += [(r, "", s, ACCURACY[r] + 0.01 * s) for r in ("floor", "ceiling")]
        answerers += [("student", m, s, ACCURACY[m] + 0.01 * s) for m in METHODS]
    frames = []
    for role, method, seed, share in answerers:
        right = rng.permutation(N) < share * N
        p = np.where(right, labels, 1 - labels)[:, None] == np.arange(2)
        frame = {
            "task": task,
            "kind": "classification",
            "role": role,
            "method": method,
            "seed": seed,
            "id": [f"{i:04}" for i in range(N)],
            "group": [f"{i // 2:04}" for i in range(N)],
            "label": labels,
            "difficulty": pl.Series(
                [None if difficulty is None else difficulty * i for i in range(N)],
                dtype=pl.Float64,
            ),
            "probabilities": np.where(p, 0.8, 0.2).tolist(),
        }
        frames.append(pl.DataFrame(frame))
    return pl.concat(frames)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """The ceiling of ``low`` is below its probe; ``high`` has difficulties."""
    return pl.concat([rows("low", probe=0.9), rows("high", probe=0.7, difficulty=2.0)])


@pytest.fixture(scope="module")
def analysed(frame):
    return analyse(config("low", "high"), frame)


def answers(frame: pl.DataFrame, task: str, role: str, method: str = "") -> np.ndarray:
    of = frame.filter(task=task, role=role, method=method).sort("seed", "id")
    return np.array(of["probabilities"].to_list()).reshape(-1, N, 2)


def test_pgr_against_the_best_ceiling_is_that_of_the_probe_where_it_is_better(frame, analysed):
    """The probe stands in as a ceiling that answers alike in every seed."""
    found = analysed.tables["ceilings"]
    (low,) = found.filter(task="low", method="naive", against="best").to_dicts()
    probe = np.repeat(answers(frame, "low", "probe"), SEEDS, axis=0)
    one = frame.filter(task="low", role="ngrams").sort("id")
    expected = recovered(
        answers(frame, "low", "floor"),
        answers(frame, "low", "student", "naive"),
        probe,
        one["label"].to_numpy(),
        one["group"].to_numpy(),
        accuracy,
    )
    assert expected.value == pytest.approx(0.1 / (0.9 - 0.61), abs=0.01)
    assert expected.interval is not None
    assert (low["is"], low["ceiling"]) == ("probe", pytest.approx(0.9))
    assert (low["pgr"], low["pgr_low"], low["pgr_high"]) == pytest.approx(
        (expected.value, expected.interval.low, expected.interval.high)
    )
    (tuned,) = found.filter(task="low", method="naive", against="finetuned").to_dicts()
    assert tuned["pgr"] == pytest.approx(0.5, abs=0.02)
    assert tuned["probe_minus_ceiling"] == pytest.approx(0.9 - 0.81)
    assert tuned["probe_minus_ceiling_low"] > 0


def test_a_ceiling_above_its_probe_is_the_best_one(analysed):
    both = analysed.tables["ceilings"].filter(task="high", method="naive").to_dicts()
    assert [row["is"] for row in both] == ["finetuned", "finetuned"]
    assert both[0]["pgr"] == both[1]["pgr"]
    assert analysed.ceilings.probed == ("low",)
    pooled = analysed.ceilings.over.methods["naive"].pooled
    assert pooled == pytest.approx(0.2 / (0.29 + 0.2), abs=0.01)


def test_every_table_has_the_models_and_their_sizes(analysed):
    # The tasks are no benchmarks with subsets and have no pairs; who is right on the training set,
    # and which labels a method leaves out, is not told here.
    without = {"subsets", "consistency", "filters", "training_set"}
    assert set(analysed.tables) == {a.file for a in every_analysis()} - without
    for name, table in analysed.tables.items():
        assert set(table["weak_parameters"]) == {92_320}, name
        assert table["strong_parameters"].dtype == pl.Int64
        assert table["strong_parameters"].null_count() == len(table)
        assert set(table["seeds"]) == {SEEDS}
        if "oracle" in table.columns:
            oracle = table.filter("oracle")["method"].unique().to_list()
            assert oracle == ["finetune-then-probe"], name
    assert set(analysed.tables["difficulty"]["task"]) == {"high"}
    assert set(analysed.tables["saliency"].drop_nulls("score")["bar"]) == {
        "lp(gt)",
        "ft(weak)",
        "ft(weak)+lp(gt)",
        "ft(gt)",
    }
    assert analysed.left_out == ()
    (table,) = (t for t in analyses_document({"run": analysed}).tables if t.name == "saliency")
    assert table.notes[-1] == "A dash: the run lacks lp(weak) (method linear-probe)."


def test_what_a_run_lacks_is_said(frame):
    low = frame.filter(task="low")
    one = analyse(config("low"), low)
    assert one.left_out[0] == "Difficulty: no task says how hard its examples are."
    assert not {"difficulty", "misfit_over_tasks"} & set(one.tables)
    older = analyse(config("low"), low.drop("difficulty"))
    assert "made before it was recorded" in older.left_out[0]
    unprobed = analyse(config("low"), low.filter(pl.col("role") != "probe"))
    assert unprobed.ceilings is None
    assert unprobed.left_out[0] == "Ceiling check: the run has no probe with ground truth."
    assert len(unprobed.left_out) == 2
    # The probe of one of two tasks is missing.
    kept = (pl.col("role") != "probe") | (pl.col("task") == "low")
    partly = analyse(config("low", "high"), frame.filter(kept))
    (table,) = (t for t in analyses_document({"run": partly}).tables if t.name == "saliency")
    assert table.notes[-1] == (
        "A dash: the run lacks lp(weak) (method linear-probe), lp(gt) (check probe) on high."
    )


def test_ceilings_stand_once_a_task_whatever_the_number_of_methods(analysed):
    of_tasks, over = analysed.more["ceilings"]
    assert [(row["task"], row["best"]) for row in of_tasks.rows] == [
        *(("low", "probe"), ("high", "finetuned")),
    ]
    low = of_tasks.rows[0]
    assert low["probe"] - low["ceiling"] == pytest.approx(low["probe_minus_ceiling"])
    assert low["probe_minus_ceiling"] == pytest.approx(0.9 - 0.81)
    assert len(over.rows) == len(METHODS)


def test_a_test_set_of_one_group_is_a_sentence(frame):
    with pytest.raises(UserError, match="low: all test examples are of one group"):
        analyse(config("low"), frame.filter(task="low").with_columns(group=pl.lit("x")))


def test_a_run_may_be_named_by_the_text_of_its_folder():
    assert FinishedRun("runs/latest").folder == Path("runs/latest")


def test_two_groups_are_enough_to_be_redrawn(frame):
    two = frame.filter(task="low").with_columns(group=pl.col("id") < "0200")
    found = read_tested(config("low"), two.with_columns(pl.col("group").cast(pl.String)), "low")
    assert found.group_count == 2
    assert set(found.weights[:, 0]) == {0, 1, 2}


def test_tasks_stand_in_the_order_of_the_predictions(frame):
    """Whatever order a table of unique values would have."""
    names = [f"task-{i}" for i in (3, 1, 4, 0, 5, 9, 2, 6)]
    low = frame.filter(pl.col("task") == "low", pl.col("id") < "0040")
    every = pl.concat([low.with_columns(task=pl.lit(name)) for name in names])
    table = analyse(config(*names), every).tables["agreement"]
    assert table["task"].unique(maintain_order=True).to_list() == names


def test_analyses_stand_in_the_order_of_their_files_whichever_was_imported_first(monkeypatch):
    names = [a.name for a in every_analysis()]
    backwards = dict(reversed(ANALYSES._added.items()))
    assert list(backwards) != list(ANALYSES._added)
    monkeypatch.setattr(ANALYSES, "_added", backwards)
    found = [a.name for a in every_analysis()]
    files = [ANALYSES.origin(name) for name in names]
    assert files == sorted(files)
    assert [ANALYSES.origin(name) for name in found] == files


def test_what_was_spent_is_the_sum_over_the_seeds_of_a_method():
    steps = [
        Work("student", "a", "naive", 0, seconds=1.5, stages=3, reused=1),
        Work("student", "a", "naive", 1, seconds=2.0, stages=2, reused=2),
        Work("student", "a", "kl", 0, seconds=9.0, stages=9, reused=9),
        Work("student", "b", "naive", 0, seconds=9.0, stages=9, reused=9),
        Work("ceiling", "a", "naive", 0, seconds=9.0, stages=9, reused=9),
    ]
    assert Spent.on("a", "naive", steps) == Spent(3.5, stages=5, reused=3)
    assert Spent.on("c", "naive", steps) is None


def test_answers_are_scored_by_the_metric_that_is_asked_for_or_the_studys_or_the_usual(frame):
    usual = config("low")
    named = replace(usual, metric="roc_auc")
    assert read_tested(usual, frame, "low").metric == "accuracy"
    assert read_tested(named, frame, "low").metric == "roc_auc"
    assert read_tested(named, frame, "low", "brier").metric == "brier"
