"""Folders from before there was an index stay readable, and their damage is a sentence."""

import json
import re

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.report.page import page

READERS = ("table", "report", "analyse", "compare", "verify", "audit")


@pytest.mark.parametrize("command", [*READERS, pytest.param("figures", marks=pytest.mark.slow)])
def test_every_command_reads_a_folder_of_the_last_release(last_release, command, capsys):
    more = ["--trusted", "10"] if command == "verify" else []
    assert main([command, str(last_release), *more]) == 0
    said = capsys.readouterr().err.strip()
    assert not said or said.startswith("Written to"), said
    assert not (last_release / "run.json").exists(), "a reader that adds a file seals nothing"


def test_its_numbers_are_those_of_its_files(last_release, capsys, undrawn):
    assert main(["table", str(last_release), "--json"]) == 0
    rows = {row["method"]: row for row in json.loads(capsys.readouterr().out)["results"]}
    results = pl.read_parquet(last_release / "results.parquet").filter(metric="accuracy")
    assert set(rows) == set(results["method"]) == {"naive", "confidence"}
    work = json.loads((last_release / "work.json").read_text())
    for method, row in rows.items():
        of = results.filter(method=method)
        for role in ("floor", "student", "ceiling"):
            assert row[role] == pytest.approx(of[role].mean())
        seconds = [w["seconds"] for w in work if w["method"] == method]
        assert row["seconds"] == pytest.approx(sum(seconds))
    assert "Nothing found by balance" not in page([last_release])
    assert FinishedRun(last_release).audit.tasks[0]["name"] == "moods"


def test_a_still_older_folder_lacks_files_and_has_other_names(last_release, capsys, undrawn):
    for file in (
        "agreement.parquet",
        "audit.json",
        "environment.json",
        "examples.parquet",
        "tasks.json",
        "work.json",
    ):
        (last_release / file).unlink()
    for file, old in {
        "results.parquet": lambda t: t.rename({"ngrams": "name_baseline"}),
        "predictions.parquet": lambda t: t.with_columns(
            pl.col("role").replace({"ngrams": "names"})
        ).drop("difficulty", "oracle"),
    }.items():
        old(pl.read_parquet(last_release / file)).write_parquet(last_release / file)
    for command in READERS:
        more = ["--trusted", "10"] if command == "verify" else []
        assert main([command, str(last_release), *more]) == 0, capsys.readouterr().err
    assert FinishedRun(last_release).examples is None
    assert "ngrams" in set(FinishedRun(last_release).predictions["role"])


def halved(content: bytes) -> bytes:
    """A file that a kill or a full disk has cut."""
    return content[: len(content) // 2]


def emptied(content: bytes) -> bytes:
    """A file whose writing a kill has cut at its beginning."""
    return b""


def other(content: bytes) -> bytes:
    """A file of the same kind that something else wrote."""
    if content[:4] == b"PAR1":
        from io import BytesIO

        file = BytesIO()
        pl.DataFrame({"task": [1], "id": [2.0]}).write_parquet(file)
        return file.getvalue()
    return b"[1, {}]"


@pytest.mark.parametrize("damage", [halved, other, pytest.param(emptied, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("study.yaml", "table"),
        ("study.yaml", "audit"),
        ("results.parquet", "compare"),
        ("predictions.parquet", "table"),
        ("predictions.parquet", "audit"),
        ("tasks.json", "table"),
        ("work.json", "table"),
        ("environment.json", "report"),
        ("examples.parquet", "report"),
        ("audit.json", "report"),
        ("agreement.parquet", "verify"),
    ],
)
def test_damage_is_a_sentence_with_the_folder_and_the_file(
    last_release, file, command, damage, capsys
):
    path = last_release / file
    path.write_bytes(damage(path.read_bytes()))
    more = ["--trusted", "10"] if command == "verify" else []
    assert main([command, str(last_release), *more]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"error: last holds no finished run \(.*\n", said)
    assert file in said
    assert "makes it again" in said
