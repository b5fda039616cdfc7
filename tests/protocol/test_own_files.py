"""The files of a study are found, and elsewhere the study has the same tasks, models and keys."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.explain import explain_study
from weak2strong.ground.carried import Carried, unpack
from weak2strong.ground.plugins import load_plugins
from weak2strong.protocol.own_files import moved, moved_reference, own_files
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import steps
from weak2strong.tasks.find import find_task

PLUGIN = """
import weak2strong as w2s

@w2s.method("copied", summary="What the supervisor says.")
def copied(context):
    return context.finetune(context.weak_labels)
"""


@pytest.fixture
def study(tmp_path, toy_models, quick_study):
    """A study with files of every sort."""
    mine = tmp_path / "mine"
    mine.mkdir()
    words = ("is even", "is odd")
    rows = [f"The number {n} {words[n % 2]},{n % 2}" for n in range(120)]
    (mine / "numbers.csv").write_text("\n".join(("text,label", *rows)) + "\n")
    (mine / "copied.py").write_text(PLUGIN)
    # A folder's name decides rates.
    shutil.copytree(toy_models["bert"], mine / "atlas-m")
    yield replace(
        quick_study,
        tasks=(str(mine / "numbers.csv"),),
        data=DataOptions(near_duplicates=False),
        methods=("naive", "copied"),
        intermediates=(ModelSpec(str(mine / "atlas-m")),),
        plugins=(mine / "copied.py",),
    )
    load_plugins(())


def test_a_study_whose_files_lie_elsewhere_has_the_same_tasks_and_keys(study, tmp_path, toy_models):
    config, mine = resolved(study), tmp_path / "mine"
    files = own_files(config)
    assert set(files) == {
        *(str(mine / name) for name in ("numbers.csv", "copied.py", "atlas-m")),
        *(str(toy_models[name]) for name in ("gpt2", "llama")),
    }
    where = {file: str(unpack(Carried.of(Path(file)), tmp_path / "node")) for file in files}
    elsewhere = moved(config, where)
    assert not set(own_files(elsewhere)) & set(files)
    found, keys = [], []
    (tmp_path / "store").mkdir()
    for one in (config, elsewhere):
        task = find_task(one.tasks[0], one.data)
        found.append((task.name, steps(one, {task.name: task.kind})))
        explained = explain_study(one, tmp_path / "store")
        keys.append([(m.stage, m.key, m.steps) for m in explained.missing])
        # Where the others lie, there is nothing any more.
        shutil.rmtree(mine, ignore_errors=True)
    assert found[0] == found[1]
    assert keys[0] == keys[1]
    assert {stage for stage, _, _ in keys[0]} == {"finetune", "probe", "ngrams"}


def test_files_are_found_in_references_of_every_form(tmp_path):
    data = DataOptions()
    parts = [tmp_path / f"{n}.jsonl" for n in "abc"]
    for part in parts:
        part.write_text("")
    folder = str(tmp_path / "hub")
    Path(folder).mkdir()
    forms = {
        ", ".join(map(str, parts)): tuple(map(str, parts)),
        folder: (folder,),
        f"boolq={folder}": (folder,),
    }
    for reference, files in forms.items():
        assert own_files(StudyConfig(tasks=(reference,), methods=("naive",))) == files
        where = {file: f"/node/{i}" for i, file in enumerate(files)}
        expected = reference.replace(", ", ",")
        for file, place in where.items():
            expected = expected.replace(file, place)
        assert moved_reference(reference, data, where) == expected
    for reference in ("atlas-asia", "boolq@abc", "owner/name"):
        assert own_files(StudyConfig(tasks=(reference,))) == ()
        assert moved_reference(reference, data, {}) == reference


def test_files_that_options_name_are_moved_with_them(tmp_path):
    names = ("puzzles.csv", "games.pgn", "labels.csv", "tests.csv")
    puzzles, games, labels, tests = (tmp_path / name for name in names)
    for file in (puzzles, games, labels, tests):
        file.write_text("")
    data = DataOptions(test_on=str(tests))
    data = replace(data, puzzles=replace(data.puzzles, form="pgn", games=str(games)))
    config = StudyConfig(tasks=(f"chess-puzzles={puzzles}",), data=data, weak_labels=labels)
    assert set(own_files(config)) == {str(f) for f in (puzzles, games, labels, tests)}
    found = moved(config, {str(tmp_path / name): f"/node/{name}" for name in names})
    assert found.tasks == ("chess-puzzles=/node/puzzles.csv",)
    assert found.data.puzzles.games == "/node/games.pgn"
    assert (found.data.test_on, str(found.weak_labels)) == ("/node/tests.csv", "/node/labels.csv")
    assert found.weak_name == config.weak_name
