"""An experiment is one file and one line: command, flags, JSON, page and Python follow from it."""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar

import pytest

from weak2strong.cli import main
from weak2strong.config.fields import Count, Flag
from weak2strong.config.settings import settings
from weak2strong.engine.run import claim
from weak2strong.experiments import EXPERIMENTS
from weak2strong.experiments.experiment import (
    Experiment,
    FinishedExperiment,
    Where,
    task_runs_of,
)
from weak2strong.experiments.tables import write_tables
from weak2strong.ground.table import Document, Table, count, words
from weak2strong.protocol.resolve import resolved
from weak2strong.report.page import page


class FinishedSizes(FinishedExperiment):
    """The folder of counted splits."""

    COMMAND = "split-sizes"
    FILES: ClassVar = {"split-sizes.parquet": "a row a split"}

    title = "Sizes of splits"
    about = "How many examples the splits have."

    @cached_property
    def document(self) -> Document:
        rows = self.table().to_dicts()
        return Document([Table("sizes", "Sizes", [words("split"), count("examples")], rows)])


@settings("a count")
class SplitSizes(Experiment[FinishedSizes]):
    """Count the examples of the splits."""

    finished = FinishedSizes

    least: Annotated[Count, Flag("at-least", "N")] = 1
    """Leave out splits with fewer examples."""

    def _write(self, where: Where) -> Path:
        config = resolved(self.config)
        task_runs = task_runs_of(config, where)
        folder = claim(where.out, config, tuple(task_runs), "split-sizes")
        (task_run,) = task_runs.values()
        sizes = {split: len(task_run.splits.items(split)) for split in ("weak_train", "test")}
        rows = [{"split": s, "examples": n} for s, n in sizes.items() if n >= self.least]
        write_tables(folder, {"split-sizes.parquet": rows})
        return folder


@pytest.fixture
def planted():
    """The line in the table of experiments."""
    EXPERIMENTS.add("split-sizes", SplitSizes, "a test")
    yield
    EXPERIMENTS.drop("a test")


@pytest.fixture
def sizes(planted, tmp_path):
    """A finished folder, made in Python."""
    return SplitSizes(tasks="atlas-asia", seeds=2).run(tmp_path / "made", tmp_path / "store")


def test_in_python_it_runs_and_is_read(sizes):
    assert dict(sizes.table().iter_rows()).keys() == {"weak_train", "test"}
    assert sizes.config.seeds == 2
    assert sizes.report().read_text().count("Sizes of splits") > 1


def test_the_command_has_flags_for_its_settings_and_those_of_a_study(sizes, tmp_path, capsys):
    most = max(n for _, n in sizes.table().iter_rows())
    place = ["--out", str(tmp_path / "run"), "--store", str(tmp_path / "store")]
    command = ["split-sizes", "--task", "atlas-asia", "--at-least", str(most), *place]
    assert main(command) == 0
    shown = capsys.readouterr()
    assert f"{most:,}" in shown.out
    assert str(tmp_path / "run" / "split-sizes.parquet") in shown.err
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "split-sizes"
    assert [row["examples"] for row in document["sizes"]] == [most]
    with pytest.raises(SystemExit):
        main(["split-sizes", "--help"])
    assert "Leave out splits with fewer examples. (default: 1)" in " ".join(
        capsys.readouterr().out.replace("│", " ").split()
    )


def test_a_wrong_value_is_one_sentence_with_its_flag(planted, capsys):
    assert main(["split-sizes", "--at-least", "0"]) == 2
    assert capsys.readouterr().err == "error: --at-least must be at least 1, not 0.\n"


def test_its_settings_may_stand_in_a_study_file(planted, tmp_path, capsys):
    study = tmp_path / "study.yaml"
    study.write_text("tasks: [atlas-asia]\nleast: 100000\n")
    place = ["--out", str(tmp_path / "run"), "--store", str(tmp_path / "store"), "--json"]
    assert main(["split-sizes", str(study), *place]) == 0
    assert json.loads(capsys.readouterr().out)["sizes"] == []


def test_the_page_of_its_folder_has_its_table(sizes):
    text = page([sizes.folder])
    assert "How many examples the splits have." in text
    for split, n in sizes.table().iter_rows():
        assert split in text
        assert f"{n:,}" in text
