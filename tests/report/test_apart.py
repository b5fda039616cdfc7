"""Run folders made for a sentence: supervisors at chance, and checks that beat the models."""

import json

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.warnings import warnings_of
from weak2strong.cli import main
from weak2strong.config.training import Training
from weak2strong.report.page import page

KNOWN = {"floor": 1.0, "student": 1.8, "ceiling": 3.5}
RATES = Training(learning_rate=1e-4, head_rate=1e-3)
CHANCE = {"floor": 0.0, "student": 0.0, "ceiling": 3.5}


@pytest.fixture(scope="module")
def run(made_run, tmp_path_factory):
    """Two tasks whose supervisor knows something, and two on which it guesses."""
    at = tmp_path_factory.mktemp("apart")
    parts = [
        made_run(at / "known", ["a-task", "b-task"], skills=KNOWN),
        made_run(at / "chance", ["c-task", "d-task"], skills=CHANCE, draw=1),
    ]
    rates = {"weak_training": RATES, "strong_training": RATES}
    both = made_run(at / "run", ["a-task", "b-task", "c-task", "d-task"], **rates)
    for file in ("predictions.parquet", "results.parquet"):
        pl.concat([pl.read_parquet(part / file) for part in parts]).write_parquet(both / file)
    return both


def test_means_leave_out_tasks_whose_supervisor_is_at_chance_in_every_form(run, tmp_path, capsys):
    finished = FinishedRun(run)
    over = finished.over
    assert over.used == ("a-task", "b-task")
    assert over.unsupervised == ("c-task", "d-task")
    naive = {x.task: x.recovered.value for x in finished.lines() if x.method == "naive"}
    mean, apart = over.methods["naive"].mean, over.at_chance["naive"].mean
    assert mean == pytest.approx((naive["a-task"] + naive["b-task"]) / 2)
    assert apart == pytest.approx((naive["c-task"] + naive["d-task"]) / 2)
    assert abs(apart) < 0.1 < mean
    markdown = tmp_path / "results.md"
    assert main(["table", str(run), "--markdown", str(markdown)]) == 0
    capsys.readouterr()
    assert main(["table", str(run)]) == 0
    printed, of_page = capsys.readouterr().out, page([run])
    for text in (printed, markdown.read_text(), of_page):
        assert "mean of 2" in text
        assert "2 at chance" in text
        assert "shown apart (at chance, a mean): c-task, d-task." in " ".join(text.split())
        assert f"{mean:.2f} [" in text
        assert f"{apart:.2f} [" in text
    assert main(["table", str(run), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["over_tasks"][0]
    assert (row["mean"], row["at_chance"]) == (mean, apart)
    assert row["at_chance_low"] < row["at_chance"] < row["at_chance_high"]
    assert "On the 2 of 4 tasks that have a gap and a supervisor above chance, students" in of_page


def test_ngrams_above_the_models_are_told_of_each_role(made_run, tmp_path):
    """The baseline of a made run has a skill of 0.8."""
    for skills, beaten in (
        ({"floor": 1.5, "student": 1.8, "ceiling": 3.5}, []),
        ({"floor": 0.1, "student": 1.8, "ceiling": 3.5}, ["the floor"]),
        ({"floor": 0.1, "student": 0.1, "ceiling": 3.5}, ["the floor", "students of naive"]),
        (
            {"floor": 0.1, "student": 0.1, "ceiling": 0.2},
            ["the floor", "students of naive", "the ceiling"],
        ),
    ):
        folder = made_run(
            tmp_path / f"{len(beaten)}", ["a"], ["naive"], skills=skills, examples=900
        )
        said = [x for x in warnings_of(FinishedRun(folder).lines()) if "character n-grams" in x]
        assert len(said) == len(beaten)
        for text, who in zip(said, beaten, strict=True):
            assert f", {who} 0." in text
    shown = page([folder])
    assert all(f"<li>{x}</li>" in shown for x in said if "'" not in x)


def test_a_ceiling_is_called_too_low_on_the_page_where_the_probe_is_clearly_better(
    made_run, tmp_path
):
    low = {"floor": 0.1, "student": 0.2, "ceiling": 0.3}
    near = {"floor": 0.1, "student": 0.5, "ceiling": 0.79}
    for name, skills, wanted in (("low", low, True), ("near", near, False)):
        run = FinishedRun(made_run(tmp_path / name, ["a"], skills=skills, examples=900))
        text = page([run.folder])
        assert ("the ceiling is too low" in text) == wanted
        excess = run.analyses().tables["ceilings"].row(0, named=True)
        assert (excess["probe_minus_ceiling_low"] > 0) == wanted
        assert excess["probe_minus_ceiling_low"] < excess["probe_minus_ceiling"]
