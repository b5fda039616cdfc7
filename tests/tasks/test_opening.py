"""Only a file is opened as one; what has no end or is not there is told before it is read."""

import json
import os
import socket
from pathlib import Path

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.config.study import StudyConfig
from weak2strong.engine.contents import contents, contents_file
from weak2strong.ground.errors import UserError
from weak2strong.ground.file_names import real_path
from weak2strong.protocol.own_files import own_files
from weak2strong.tasks import opening
from weak2strong.tasks.find import find_task
from weak2strong.tasks.opening import ending, files_below, read_file, unpacked_name
from weak2strong.tasks.splits import make_splits


def made(folder, what):
    path = folder / "data.csv"
    match what:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "link":
            path.symlink_to("nowhere.csv")
        case "circle":
            path.symlink_to("data.csv")
    return path


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("pipe", "Data file {} is a pipe: write a file, and name that."),
        ("device", "Data file {} is a device: write a file, and name that."),
        ("link", "Data file {} is a link to nowhere.csv, which is not there: check the link."),
        ("circle", "Data file {} is a link to data.csv, which is not there: check the link."),
        ("nothing", "Data file {} cannot be read (No such file or directory): check the path."),
    ],
)
def test_what_is_no_file_is_refused_before_it_is_read(tmp_path, what, error):
    path = made(tmp_path, what)
    for read in (read_file, lambda path: find_task(str(path), DataOptions())):
        with pytest.raises(UserError) as caught:
            read(path)
        assert str(caught.value) == error.format(path)


def test_a_socket_is_no_file(tmp_path, monkeypatch):
    # The name of a socket is short by the system's rule.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("data.csv")
        with pytest.raises(UserError, match=r"^Data file data\.csv is a socket: write a file"):
            read_file(Path("data.csv"))


def test_a_device_is_named_as_it_is():
    with pytest.raises(UserError, match=r"^Data file /dev/zero is a device: write"):
        find_task("/dev/zero", DataOptions())


def test_of_a_folder_files_are_taken_that_are_seen(tmp_path):
    for name in ("b/c.csv", "a.csv", ".git/d.csv", "b/.e.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "gone.csv").symlink_to("nowhere")
    (tmp_path / "link.csv").symlink_to("a.csv")
    (tmp_path / "again").symlink_to(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)]
    assert names == ["a.csv", "b/c.csv", "link.csv"]


def test_a_folder_of_everything_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"has more than 2 files: name the folder of a dataset\."):
        find_task(str(tmp_path), DataOptions())


def test_a_file_in_a_folder_may_have_a_name_that_is_no_utf_8(tmp_path):
    rows = "".join(f"text {i}\t{i % 2}\n" for i in range(60))
    path = os.fsencode(tmp_path) + b"/K\xf6ln-train.tsv"
    with open(path, "w") as file:
        file.write(f"text\tlabel\n{rows}")
    task = find_task(str(tmp_path), DataOptions())
    assert task.cleaning.read == 60
    entry = json.loads(contents_file([contents(str(tmp_path), task, make_splits(task))]))[0]
    assert entry["accounts"][0]["files"] == f"{tmp_path}/K\\xf6ln-train.tsv"


@pytest.mark.parametrize(
    ("name", "unpacked", "end"),
    [
        ("a/b.JSONL.GZ", "b.JSONL", ".jsonl"),
        ("b.csv", "b.csv", ".csv"),
        ("b.v1.tsv.zst", "b.v1.tsv", ".tsv"),
        ("gz", "gz", ""),
        ("b.gz", "b", ""),
    ],
)
def test_the_ending_is_that_of_what_is_packed(name, unpacked, end):
    assert (unpacked_name(name), ending(name)) == (unpacked, end)


def rows_in(path, first=0):
    rows = "".join(f"text {i}\t{i % 2}\n" for i in range(first, first + 60))
    with open(os.fsencode(path.parent) + b"/" + path.name.encode("latin-1"), "w") as file:
        file.write(f"text\tlabel\n{rows}")


def test_a_file_whose_name_is_no_utf_8_is_a_task_and_to_be_tested_on(tmp_path):
    rows_in(tmp_path / "K\xf6ln.tsv")
    rows_in(tmp_path / "\xdclm.tsv", 100)
    name, other = (
        os.fsdecode(os.fsencode(tmp_path) + n) for n in (b"/K\xf6ln.tsv", b"/\xdclm.tsv")
    )
    config = StudyConfig(tasks=(name,), data=DataOptions(test_on=other))
    shown = (f"{tmp_path}/K\\xf6ln.tsv", f"{tmp_path}/\\xdclm.tsv")
    assert (config.tasks, config.data.test_on) == ((shown[0],), shown[1])
    for reference in (name, shown[0]):
        task = find_task(reference, config.data)
        entry = contents_file([contents(shown[0], task, make_splits(task))]).decode()
        about = json.loads(entry)[0]["accounts"]
        assert [account["files"] for account in about] == list(shown)
    assert own_files(config)[:2] == tuple(sorted(shown))
    rows_in(tmp_path / "\xe4.tsv", 200)
    third = os.fsdecode(os.fsencode(tmp_path) + b"/\xe4.tsv")
    three = StudyConfig(tasks=(f"{name},{other},{third}",)).tasks
    assert three == (f"{shown[0]},{shown[1]},{tmp_path}/\\xe4.tsv",)
    parted = find_task(three[0], DataOptions(near_duplicates=False))
    assert parted.split_of == dict(
        zip((*shown, f"{tmp_path}/\\xe4.tsv"), ("weak_train", "strong_train", "test"), strict=True)
    )


def test_what_looks_like_such_a_name_may_be_the_name_itself(tmp_path):
    path = tmp_path / "a\\xff.tsv"
    path.write_text("text\tlabel\n")
    assert real_path(path) == path
    rows_in(tmp_path / "a\xff.tsv")
    assert real_path(path) == path
    path.unlink()
    assert os.fsencode(real_path(path)).endswith(b"/a\xff.tsv")
    assert real_path("b\\xff.tsv") == Path("b\\xff.tsv")
    with pytest.raises(UserError, match="text that can be written"):
        StudyConfig(tasks=("not there\udcff",))
