"""Each file of a folder damaged in each way: what commands say, and that a rerun mends it."""

import re
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from fuzz.damage import STUDY, Said, cut, emptied, flipped, missing, of_another, plain, say
from weak2strong.config.study import read_study
from weak2strong.engine.local import Plan
from weak2strong.engine.run import run_study
from weak2strong.ground.index import put

HERE = Path(__file__).parent / "last_release"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A place with a store, and the audited folders of two studies, ``whole`` and ``other``."""
    place = tmp_path_factory.mktemp("damaged")
    shutil.copy(HERE / "moods.jsonl", place)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name, rate in {"whole": 0.003, "other": 0.001}.items():
            Path(f"{name}.yaml").write_text(STUDY.format(rate=rate))
            run_study(read_study(Path(f"{name}.yaml")), Path(name), Path("store"), plan=Plan(1, 1))
            assert say("audit", name).code == 0
        yield place


def again(study: str = "whole.yaml") -> Said:
    """Run a study into the folder ``run``; what the store has is read."""
    return say("run", study, "--out", "run", "--store", "store", "--quiet")


DAMAGES = (cut, emptied, flipped, missing, of_another)

READERS = {
    "run.json": ("table", "report", "analyse", "compare", "verify", "audit"),
    "study.yaml": ("table", "report", "analyse", "compare", "verify", "audit"),
    "results.parquet": ("table", "report", "analyse", "compare", "verify"),
    "predictions.parquet": ("table", "report", "analyse", "compare", "verify", "audit"),
    "tasks.json": ("table", "report"),
    "work.json": ("table", "report"),
    "environment.json": ("report",),
    "examples.parquet": ("report",),
    "audit.json": ("report",),
    "agreement.parquet": ("verify",),
}
"""The commands that read a file."""

NEWER = {
    "learned.json": ("table", "report"),
    "rates.json": ("report",),
    "training.parquet": ("report",),
}
"""The same for files that the last release did not write."""

COMMANDS = READERS["run.json"]


def commanded(command: str) -> Said:
    """A command that reads the folder ``run``, without sizes of pages, which hold times."""
    said = say(command, "run", *(["--trusted", "10"] if command == "verify" else []))
    return replace(said, out=plain(said.out))


def is_refused(said: Said, file: str) -> bool:
    """Whether a command was refused in one sentence that names the folder and the file."""
    return (
        said.code == 2
        and not said.out
        and re.fullmatch(r"error: [^\n]*\brun\b[^\n]*\n", said.err) is not None
        and file in said.err
    )


def fresh(of: str = "whole") -> None:
    """Make ``run`` a copy of a folder."""
    shutil.rmtree("run", ignore_errors=True)
    shutil.copytree(of, "run")


@pytest.mark.parametrize("file", READERS)
def test_a_damaged_file_is_said_by_name_by_who_reads_it(file, tmp_path, monkeypatch, undrawn):
    """In the folder of a study that the last release ran, with an index."""
    monkeypatch.chdir(tmp_path)
    for name, changes in {"whole": {}, "other": {b"0.1.0": b"0.2.0", b"0.003": b"0.004"}}.items():
        Path(name).mkdir()
        files = {p.name: p.read_bytes() for p in (HERE / "run").iterdir() if p.suffix != ".jsonl"}
        for (old, new), file_name in product(changes.items(), files):
            files[file_name] = files[file_name].replace(old, new)
        put(Path(name), files, "run")
    command = READERS[file][0]
    for damage in DAMAGES:
        fresh()
        damage(Path("run") / file)
        said = commanded(command)
        if (file, damage) == ("run.json", missing):
            assert said.code == 0, "it is as a folder of the last release"
        elif Path("run", file).exists() and same_bytes(file):
            assert damage is of_another
        elif (file, damage) == ("run.json", of_another):
            assert is_refused(said, "another content than was written")
        else:
            assert is_refused(said, file), (damage, said)


def same_bytes(file: str) -> bool:
    """Whether a file is as it was written."""
    return Path("run", file).read_bytes() == Path("whole", file).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("file", [*READERS, *NEWER])
def test_every_command_is_right_or_refused_and_a_rerun_makes_all_again(place, monkeypatch, file):
    monkeypatch.chdir(place)
    readers = (READERS | NEWER)[file]
    fresh()
    expected = {command: commanded(command) for command in COMMANDS}
    assert {said.code for said in expected.values()} == {0}
    for damage in DAMAGES:
        fresh()
        damage(Path("run", file))
        if Path("run", file).exists() and same_bytes(file):
            continue
        for command in COMMANDS:
            said = commanded(command)
            if command in readers and (file, damage) != ("run.json", missing):
                assert is_refused(said, "" if damage is of_another else file), (command, damage)
            else:
                assert said == expected[command], damage
        if (file, damage) == ("run.json", of_another):
            assert "holds files of two studies" in again().err
            continue
        done = say("audit", "run") if file == "audit.json" else again()
        assert done.code == 0, done.err
        for name in {*READERS, *NEWER} - {"run.json", "audit.json"}:
            assert same_bytes(name), (damage, name)
        assert commanded("report").code == 0


def test_where_study_and_index_are_both_damaged_nothing_is_written_over(last_release):
    study = (last_release / "study.yaml").read_bytes()
    Path("study.yaml").write_bytes(study)
    files = {p.name: p.read_bytes() for p in last_release.iterdir() if p.suffix != ".jsonl"}
    put(last_release, files, "run")
    emptied(last_release / "study.yaml")
    cut(last_release / "run.json")
    before = {p.name: p.read_bytes() for p in last_release.iterdir()}
    said = say("run", "study.yaml", "--out", "last")
    assert said.code == 2
    assert "last cannot be told to hold this study (run.json is not valid JSON)" in said.err
    assert {p.name: p.read_bytes() for p in last_release.iterdir()} == before


def test_a_file_of_another_kind_of_folder_is_said_by_name(last_release, undrawn):
    """It has the name of one of ours, and the index does not list it."""
    shutil.move(last_release, "run")
    audit = Path("run/audit.json").read_bytes()
    Path("run/audit.json").unlink()
    put(Path("run"), {"study.yaml": Path("run/study.yaml").read_bytes()}, "run")
    assert commanded("report").code == 0
    Path("run/audit.json").write_bytes(audit)
    assert is_refused(commanded("report"), "audit.json is none of the files that run.json lists")


@pytest.mark.parametrize("name", ["results.parquet", "tasks.json", "run.json", "study.yaml"])
def test_a_folder_with_somebodys_files_is_left_alone(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "moods.jsonl", tmp_path)
    Path("mine.yaml").write_text(STUDY.format(rate=0.003))
    Path("run").mkdir()
    Path("run", name).write_text("mine: [")
    said = say("run", "mine.yaml", "--out", "run")
    assert said.code == 2
    assert re.fullmatch(r"error: run [^\n]*: choose another folder with --out\.\n", said.err)
    assert {p.name: p.read_text() for p in Path("run").iterdir()} == {name: "mine: ["}


def test_a_changed_study_of_a_run_is_no_study_to_run(last_release):
    files = {"study.yaml": (last_release / "study.yaml").read_bytes()}
    put(last_release, files, "run")
    flipped(last_release / "study.yaml")
    said = say("run", "last/study.yaml", "--out", "new")
    assert said.code == 2
    assert "study.yaml has another content than was written: copy it out of the folder" in said.err
