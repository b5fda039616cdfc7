"""The folder of an experiment, damaged: what a reader says of each of its files."""

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from fuzz.damage import cut, emptied, flipped, missing
from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.experiments.grid import FinishedGrid
from weak2strong.experiments.simulate import FinishedSimulate
from weak2strong.experiments.tables import write_tables
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import put
from weak2strong.report.folders import read_finished


def files_in(folder: Path) -> dict[str, bytes]:
    """What the files of a folder hold."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


@pytest.fixture
def indexed(made_experiments, tmp_path):
    """A function that copies the folder of an experiment, and gives it an index."""
    overfitting, simulated, sweep, grid = made_experiments
    of = {"overfitting": overfitting, "simulate": simulated, "probe-sweep": sweep, "grid": grid}

    def copy(command: str) -> Path:
        folder = Path(shutil.copytree(of[command], tmp_path / command))
        runs = []
        for below in sorted(p for p in folder.iterdir() if p.is_dir()):
            put(below, files_in(below), "run")
            runs.append(FinishedRun(below))
        if runs:
            (file,) = files_in(folder)
            write_tables(folder, {file: pl.read_parquet(folder / file)}, command, runs)
        else:
            put(folder, files_in(folder), command)
        return folder

    return copy


def said_of(folder: Path) -> str:
    """What a reader of everything in an experiment's folder says: nothing if it is whole."""
    try:
        for one in read_finished(folder):
            one.document, one.environment, one.work, one.config  # noqa: B018
    except UserError as e:
        return str(e)
    return ""


SLOW = pytest.mark.slow
DAMAGES = [flipped, *(pytest.param(damage, marks=SLOW) for damage in (cut, emptied, missing))]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("command", ["overfitting", "simulate", "probe-sweep", "grid"])
def test_each_damaged_file_is_said_by_name_with_the_command_that_makes_it_again(
    indexed, command, damage
):
    folder = indexed(command)
    assert said_of(folder) == ""
    unread = {"examples.parquet", "tasks.json"}
    for file in sorted(set(files_in(folder)) - unread):
        if (file, damage) == ("run.json", missing):
            continue
        content = (folder / file).read_bytes()
        damage(folder / file)
        said = said_of(folder)
        assert said.startswith(f"{folder} is damaged ({file} "), file
        what = "command" if file == "run.json" else f"`w2s {command}` command"
        assert f"the same {what} with --out {folder} makes it again" in said
        assert "\n" not in said
        (folder / file).write_bytes(content)
    assert said_of(folder) == ""


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("command", ["simulate", "grid"])
def test_a_damaged_file_of_one_of_its_runs_is_said_with_the_folder_of_the_run(
    indexed, command, damage
):
    folder = indexed(command)
    run = next(p for p in sorted(folder.iterdir()) if p.is_dir())
    for file in ("study.yaml", "predictions.parquet", "run.json"):
        if (file, damage) == ("run.json", missing):
            continue
        content = (run / file).read_bytes()
        damage(run / file)
        assert said_of(folder).startswith(f"{run} is damaged ({file} "), file
        (run / file).write_bytes(content)
    (run / "results.parquet").unlink()
    assert f"{folder} lacks the run" in said_of(folder)


@pytest.mark.parametrize(
    ("command", "kind", "name"),
    [("grid", FinishedGrid, "atlas-xs-to-atlas-s"), ("simulate", FinishedSimulate, "longest")],
)
def test_a_run_that_the_table_does_not_tell_of_is_refused(
    indexed, command, kind, name, made_run, tmp_path
):
    folder = indexed(command)
    simulated = {"simulated": "longest"} if command == "simulate" else {}
    stranger = made_run(tmp_path / "stranger", seeds=2, examples=200, **simulated)
    put(stranger, files_in(stranger), "run")
    shutil.rmtree(folder / name)
    shutil.copytree(stranger, folder / name)
    with pytest.raises(UserError, match=f"tells of another run than that in {folder / name} "):
        kind(folder).document  # noqa: B018


def test_the_commands_say_it_in_one_sentence(indexed, capsys):
    folder = indexed("grid")
    flipped(folder / "grid.parquet")
    for command in ("report", "figures"):
        assert main([command, str(folder)]) == 2
        said = capsys.readouterr().err
        assert re.fullmatch(r"error: \S+ is damaged \(grid\.parquet has another .*\n", said)


@pytest.mark.parametrize("damage", [cut, emptied], ids=lambda d: d.__name__)
def test_damage_in_a_folder_without_an_index_is_a_sentence(made_experiments, damage, tmp_path):
    for i, made in enumerate(made_experiments):
        folder = Path(shutil.copytree(made, tmp_path / str(i)))
        (file, *_) = (p for p in sorted(folder.iterdir()) if p.suffix == ".parquet")
        damage(file)
        assert file.name in said_of(folder) or not said_of(folder)
        assert "holds no finished" in said_of(folder) or file.name == "examples.parquet"
