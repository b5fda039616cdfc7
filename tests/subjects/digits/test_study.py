"""A study of images from pictures to the page, without anything that needs words."""

from dataclasses import replace

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.places import Plan
from weak2strong.engine.plan import plan_study
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError
from weak2strong.protocol.resolve import resolve
from weak2strong.report.plan import plan_document

QUICK = Training(epochs=1, learning_rate=3e-3)
STUDY = StudyConfig(
    tasks=("digits",),
    methods=("naive",),
    seeds=1,
    weak_training=QUICK,
    strong_training=QUICK,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("digits")
    return run_study(STUDY, root / "run", root / "store", plan=Plan(workers=1, threads=1))


def test_the_pair_is_that_of_the_task():
    found = resolve(STUDY).config
    assert (found.weak.name, found.strong.name) == ("digits-s", "digits-l")
    named = resolve(replace(STUDY, weak=ModelSpec("digits-l"))).config
    assert (named.weak.name, named.strong.name) == ("digits-l", "digits-l")


def test_a_plan_says_that_the_rates_were_fitted_for_the_pair(tmp_path):
    fitted = StudyConfig(tasks=("digits",), methods=("naive",), seeds=1)
    notes = " ".join(plan_document(plan_study(fitted, tmp_path)).notes)
    assert "supervisor (digits-s): fitted for this shipped model." in notes


def test_a_strong_network_is_better_than_a_weak_one(run):
    (line,) = FinishedRun(run).lines()
    recovered = line.recovered
    assert 0.3 < recovered.floor < recovered.ceiling - 0.1
    assert line.probe_ceiling > 0.85
    assert line.ngrams is None


def test_there_is_no_baseline_of_words(run):
    predictions = pl.read_parquet(run / "predictions.parquet")
    assert set(predictions["role"]) == {"floor", "student", "ceiling", "probe"}
    assert pl.read_parquet(run / "results.parquet")["ngrams"].is_null().all()


def test_examples_are_shown_as_pictures(run, tmp_path, undrawn):
    examples = pl.read_parquet(run / "examples.parquet")
    assert examples["picture"].str.starts_with("data:image/png;base64,").all()
    assert examples["texts"].list.len().max() == 0
    assert main(["report", str(run), "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert page.count('<img class="thumbnail" src="data:image/png;base64,') >= 4
    assert "character n-grams" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"methods": ("zero-shot",)}, "needs a student that is a decoder"),
        ({"weak": ModelSpec("atlas-xs")}, "reads texts, and task digits is one of images"),
        ({"tasks": ("atlas-asia",), "weak": ModelSpec("digits-s")}, "reads images, and task"),
    ],
)
def test_what_needs_words_is_refused(change, said):
    with pytest.raises(UserError, match=said):
        resolve(replace(STUDY, **change))


def test_of_all_methods_those_with_words_are_left_out():
    found = resolve(replace(STUDY, methods=("all",)))
    assert {"zero-shot", "bootstrapping"} <= set(found.left_out["all"])
    assert {"naive", "confidence", "knn-filter+naive"} <= {
        *found.config.methods,
        "knn-filter+naive",
    }


def test_a_plan_names_no_baseline_of_words(capsys):
    assert main(["run", "--task", "digits", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "ngrams" not in shown
    assert "digits-s" in shown
