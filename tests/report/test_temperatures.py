"""Tables, JSON, page and Markdown say at which temperature students learnt weak labels."""

import json

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.config.training import Training

A, B = (1.5, 0.25, 2.0), (1.0, 10.0, 1.25)


@pytest.fixture
def run(made_run, tmp_path):
    """A run whose students learnt labels at these temperatures, by task and seed."""

    def make(temperatures):
        at = Training(learning_rate=1e-3, head_rate=1e-3)
        folder = made_run(
            tmp_path / "run",
            methods=["naive"],
            examples=100,
            weak_label_temperature="fit",
            weak_training=at,
            strong_training=at,
        )
        results = pl.read_parquet(folder / "results.parquet")
        of = [temperatures[t][s] for t, s in results.select("task", "seed").iter_rows()]
        results.with_columns(weak_label_temperature=pl.Series(of)).write_parquet(
            folder / "results.parquet"
        )
        return folder

    return make


@pytest.mark.parametrize(
    ("temperatures", "said"),
    [
        ({"a-task": (2.0,) * 3, "b-task": (2.0,) * 3}, "at temperature 2."),
        ({"a-task": A, "b-task": A}, "at temperature 1.5, 0.25, 2 (by seed)."),
        ({"a-task": A, "b-task": B}, "task and seed: a-task 1.5, 0.25, 2; b-task 1, 10, 1.25."),
    ],
)
def test_table_and_page_and_markdown_name_them(run, tmp_path, capsys, temperatures, said):
    folder = run(temperatures)
    assert main(["table", str(folder)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert said in shown
    # A fit that has come to an end might have gone on.
    assert ("A fit tries 0.01 to 10." in shown) == (temperatures["b-task"] == B)
    assert main(["table", str(folder), "--markdown", str(tmp_path / "page.md")]) == 0
    assert said in (tmp_path / "page.md").read_text()
    assert said in FinishedRun(folder).report(tmp_path / "page.html").read_text()
    capsys.readouterr()
    assert main(["table", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["results"]
    assert {row["task"]: tuple(row["temperatures"]) for row in rows} == temperatures


def test_of_labels_as_they_were_given_nothing_is_said(made_run, tmp_path, capsys):
    folder = made_run(tmp_path / "run")
    assert main(["table", str(folder)]) == 0
    assert "temperature" not in capsys.readouterr().out
    assert FinishedRun(folder).table()["temperatures"].to_list() == [None] * 4
