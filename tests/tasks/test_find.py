"""A reference is a registered task, a file, a folder, or a dataset of the hub."""

import json
import os

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks import GROUPS, TASKS, find
from weak2strong.tasks.find import find_task, find_tasks, pinned
from weak2strong.tasks.reading import ENDINGS

SHA = "0123456789abcdef0123456789abcdef01234567"
OPTIONS = DataOptions()


def write(path, first=0, count=80):
    numbers = range(first, first + count)
    rows = [{"text": f"Number {i}", "label": i % 2} for i in numbers]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def texts(task):
    return {e.item.text for e in task.load()}


def test_a_registered_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "atlas-asia" / "train.jsonl")
    assert find_task("atlas-asia", OPTIONS) is TASKS.get("atlas-asia")


@pytest.mark.parametrize("name", ["one.jsonl", "one.JSONL"])
def test_an_ending_says_that_it_is_a_file(tmp_path, name):
    task = find_task(str(write(tmp_path / name)), OPTIONS)
    assert (task.name, len(task.load())) == ("one", 80)


@pytest.mark.parametrize("name", ["reviews", "parts.jsonl", "a@b"])
def test_a_folder_is_read_as_a_dataset(tmp_path, name):
    write(tmp_path / name / "train.jsonl")
    write(tmp_path / name / "test.jsonl", 500, 60)
    assert len(find_task(str(tmp_path / name), OPTIONS).load()) == 80
    assert len(find_task(str(tmp_path / name), DataOptions(split="test")).load()) == 60


def test_what_does_not_exist_is_said_as_what_it_looks_like(tmp_path):
    (tmp_path / "data.txt").write_text("text")
    write(tmp_path / "folder" / "train.jsonl")
    for reference, sentence in (
        (f"{tmp_path}/none.csv", r"none\.csv cannot be read \(No such file"),
        (f"{tmp_path}/data.txt", r"data\.txt must end in \.jsonl, \.csv, \.parquet"),
        (f"{tmp_path}/nowhere", r"There is no folder .*nowhere"),
        (f"{tmp_path}/folder@v1", r"has no revisions: leave @v1 out"),
        ("atlas-asai", r"Unknown task 'atlas-asai': .*atlas-asia"),
        ("", r"Unknown task ''"),
    ):
        with pytest.raises(UserError, match=sentence):
            find_task(reference, OPTIONS)


def test_an_unknown_name_is_told_how_a_file_ends():
    with pytest.raises(UserError) as caught:
        find_task("reviews", OPTIONS)
    assert all(ending in str(caught.value) for ending in ENDINGS)


def test_a_file_is_read_again_only_where_it_or_an_option_has_changed(tmp_path):
    path = write(tmp_path / "data.jsonl")
    first = find_task(str(path), OPTIONS)
    assert find_task(str(path), DataOptions()) is first
    assert find_task(str(path), DataOptions(balance=False)) is not first
    write(path, first=100)
    os.utime(path, ns=(0, 0))
    assert texts(find_task(str(path), OPTIONS)) == {f"Number {i}" for i in range(100, 180)}


def test_a_folder_is_read_again_where_a_file_below_it_has_changed(tmp_path):
    write(tmp_path / "data" / "train.jsonl")
    first = find_task(str(tmp_path), OPTIONS)
    assert find_task(str(tmp_path), OPTIONS) is first
    write(tmp_path / "data" / "train.jsonl", count=60)
    assert len(find_task(str(tmp_path), OPTIONS).load()) == 60


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that has every repository at one commit, and counts what it is asked."""
    from weak2strong.tasks import hub
    from weak2strong.tasks.hub import Snapshot

    asked = []
    write(tmp_path / "hub" / "train.jsonl")

    def open_snapshot(repo, revision):
        asked.append((repo, revision))
        return Snapshot(SHA, ("train.jsonl",), "mit", lambda names: tmp_path / "hub")

    monkeypatch.setattr(hub, "open_snapshot", open_snapshot)
    monkeypatch.setattr(find, "_AT_COMMIT", {})
    return asked


def test_two_names_with_a_stroke_are_a_dataset_of_the_hub(hub):
    task = find_task("owner/name", OPTIONS)
    assert (task.name, task.revision, len(task.load())) == ("owner-name", SHA, 80)
    assert find_task("owner/name@v1", OPTIONS).revision == SHA
    assert hub == [("owner/name", None), ("owner/name", "v1")]


def test_a_commit_is_looked_up_once_and_a_branch_every_time(hub):
    task = find_task("owner/name", OPTIONS)
    pin = pinned("owner/name", task)
    assert pin == f"owner/name@{SHA}" == pinned("owner/name@v1", task)
    assert find_task(pin, OPTIONS) is task
    assert hub == [("owner/name", None)]
    find_task("owner/name", OPTIONS)
    find_task(pin, DataOptions(balance=False))
    assert hub == [("owner/name", None), ("owner/name", None), ("owner/name", SHA)]


def test_only_the_hub_has_commits(tmp_path):
    path = str(write(tmp_path / "data.jsonl"))
    assert pinned(path, find_task(path, OPTIONS)) == path
    assert pinned("atlas-asia", TASKS.get("atlas-asia")) == "atlas-asia"


def test_tasks_of_one_study_have_names_of_their_own(tmp_path):
    one, other = (str(write(tmp_path / folder / "data.jsonl")) for folder in "ab")
    with pytest.raises(UserError, match=r"and .* would both be called data: rename one"):
        find_tasks((one, other), OPTIONS)
    assert [t.name for t in find_tasks((one, "atlas-asia"), OPTIONS)] == ["data", "atlas-asia"]


@pytest.mark.parametrize("name", ["atlas-asia", *GROUPS])
def test_a_file_is_not_called_like_a_task_of_the_atlas(tmp_path, name):
    path = write(tmp_path / f"{name}.jsonl")
    with pytest.raises(UserError, match=f"would be called {name}, .*: rename the file"):
        find_tasks((str(path),), OPTIONS)


def test_options_that_no_task_heeds_are_refused(tmp_path):
    path = str(write(tmp_path / "data.jsonl"))
    for options in (DataOptions(n_test=9), DataOptions("question"), DataOptions(balance=False)):
        with pytest.raises(UserError, match="are for your own data, and the embedded tasks have n"):
            find_tasks(("atlas-asia",), options)
        with pytest.raises(UserError, match="are for your own data"):
            find_tasks((), options)
    for options in (DataOptions(subset="en"), DataOptions(split="test")):
        with pytest.raises(UserError, match=r"data\.jsonl is a single file: --subset and --split"):
            find_tasks((path, "atlas-asia"), options)
    write(tmp_path / "folder" / "test.jsonl")
    assert find_tasks((str(tmp_path / "folder"),), DataOptions(split="test"))
