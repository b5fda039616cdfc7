"""`w2s report` and `w2s figures` on a run that `w2s run` has written."""

import json
import re
import shutil

import polars as pl
import pytest

from weak2strong.analysis.finished import Results
from weak2strong.cli import main
from weak2strong.tasks import TASKS

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


def test_the_run_keeps_the_texts_of_its_test_examples(finished):
    kept = pl.read_parquet(finished / "examples.parquet")
    known = pl.read_parquet(finished / "predictions.parquet").select("task", "id").unique()
    assert len(kept) == len(known) == len(kept.join(known, on=["task", "id"]))
    items = {e.item.id: e.item for e in TASKS.get("atlas-landlocked").load()}
    assert all(row["texts"] == [items[row["id"]].text] for row in kept.iter_rows(named=True))


def test_examples_are_printed_and_what_was_not_kept_is_read_again(finished, tmp_path, capsys):
    command = ["--where", "student disagrees or weak wrong", "--limit", "2", "--json"]
    assert main(["examples", str(finished), *command]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert len(kept["examples"]) == 2
    assert kept["matched"] > 2
    # An older run, which has few texts and no digests, and one whose data are others by now.
    run = shutil.copytree(finished, tmp_path / "run")
    table = pl.read_parquet(run / "examples.parquet")
    (run / "run.json").unlink()
    table.drop("digest").clear().write_parquet(run / "examples.parquet")
    assert main(["examples", str(run), *command]) == 0
    assert json.loads(capsys.readouterr().out) == kept
    none = pl.lit(None, dtype=pl.List(pl.String))
    table.with_columns(texts=none, digest=pl.lit("0" * 16)).write_parquet(run / "examples.parquet")
    assert main(["examples", str(run), *command]) == 0
    changed = json.loads(capsys.readouterr().out)
    assert [row["texts"] for row in changed["examples"]] == [None, None]
    assert "the data have changed since they were answered" in changed["notes"][-1]


def test_results_write_the_report_too(finished, tmp_path, undrawn):
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
