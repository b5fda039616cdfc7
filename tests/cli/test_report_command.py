"""`w2s report` and `w2s figures` on a run that `w2s run` has written."""

import re

import polars as pl
import pytest

from weak2strong.analysis.finished import Results
from weak2strong.cli import main
from weak2strong.engine.examples import KEPT, LONGEST

STUDY = """
tasks: [{task}]
weak: {weak}
strong: {strong}
methods: [naive]
seeds: 1
weak_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
strong_training: {{steps: 6, evaluations: 2, learning_rate: 0.003}}
"""


@pytest.fixture(scope="module")
def finished(toy_models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report-command")
    weak, strong = toy_models["gpt2"], toy_models["llama"]
    study = folder / "study.yaml"
    study.write_text(STUDY.format(task="atlas-landlocked", weak=weak, strong=strong))
    arguments = ["--out", str(folder / "run"), "--store", str(folder / "store"), "--quiet"]
    assert main(["run", str(study), *arguments]) == 0
    return folder / "run"


def test_report_writes_a_file_and_says_where_and_how_large(finished, capsys):
    assert main(["report", str(finished)]) == 0
    path = finished / "report.html"
    kilobytes = f"{path.stat().st_size / 1000:,.0f}"
    assert f"Written to {path} ({kilobytes} kB)" in capsys.readouterr().err
    main(["table", str(finished)])
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("atlas-landlocked"))
    text = path.read_text()
    assert all(f">{number}<" in text for number in re.findall(r"\d\.\d{3}", row)[:3])


def test_the_run_keeps_a_bounded_number_of_texts(finished):
    kept = pl.read_parquet(finished / "examples.parquet")
    assert 0 < len(kept) <= 3 * KEPT
    assert all(len(text) <= LONGEST for texts in kept["texts"] for text in texts)
    known = pl.read_parquet(finished / "predictions.parquet").select("task", "id").unique()
    assert len(kept.join(known, on=["task", "id"])) == len(kept)


def test_results_write_the_report_too(finished, tmp_path):
    assert Results(finished).report(tmp_path / "page.html") == tmp_path / "page.html"
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_figures_are_written_in_the_formats_asked_for(finished, tmp_path, capsys):
    assert main(["figures", str(finished), "--format", "svg,png", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.split()
    assert {str(tmp_path / f"scores.{end}") for end in ("svg", "png", "csv")} <= set(printed)
    assert main(["figures", str(finished), "--format", "gif"]) == 2
    assert "Unknown format of figures 'gif'" in capsys.readouterr().err


def test_a_folder_without_a_run_is_told_in_one_sentence(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err
