"""What a disk refuses is one sentence with file and disk, whoever was told it by the system."""

import errno
import os
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
from safetensors import SafetensorError

from weak2strong.cli import main
from weak2strong.engine.events import FILE, events_of, read_events
from weak2strong.ground import disks, whole
from weak2strong.ground.disks import disk_of, keeping, refused, writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import put
from weak2strong.ground.store import Store, digest

RELEASED = Path(__file__).parents[1] / "engine" / "last_release"

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
QUOTA = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
RETOLD = SafetensorError("Error while serializing: I/O error: No space left (os error 28)")


def said(context, error, path: Path) -> str:
    """The sentence that an error becomes inside of a context; nothing where it stays as it is."""
    try:
        with context(path, "choose another --out"):
            raise error
    except UserError as e:
        return str(e)
    except type(error):
        return ""


@pytest.mark.parametrize("context", [writing, keeping])
@pytest.mark.parametrize("error", [FULL, RETOLD], ids=["by Python", "by a library"])
def test_a_full_disk_is_named_with_the_file(context, error, tmp_path):
    path = tmp_path / "not" / "there"
    assert said(context, error, path) == (
        f"Cannot write {path} (No space left on device, on the disk {disk_of(tmp_path)}): free "
        "some space there, or choose another --out; finished stages are kept."
    )


def test_another_reason_is_told_where_nothing_but_writing_is_done(tmp_path):
    refusal = PermissionError(errno.EACCES, "Permission denied", "x")
    assert said(writing, refusal, tmp_path) == (
        f"Cannot write {tmp_path} (Permission denied): choose another --out."
    )
    assert said(keeping, refusal, tmp_path) == ""


def test_of_the_files_of_a_folder_that_one_is_named_which_cannot_be_written(tmp_path, monkeypatch):
    replace = Path.replace

    def refusing(self, target):
        if target.name == "tasks.json":
            raise PermissionError(errno.EACCES, "Permission denied", str(self), None, str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    told = rf"Cannot write {tmp_path}/tasks.json \(Permission denied\)"
    with pytest.raises(UserError, match=told), writing(tmp_path, "choose another --out"):
        put(tmp_path, {"tasks.json": b"[]"}, "run")


OURS = [KeyError("label"), OSError("a mistake of ours"), RuntimeError("step 28"), MemoryError()]


@pytest.mark.parametrize("error", [*OURS, BrokenPipeError(errno.EPIPE, "Broken pipe")])
def test_a_bug_of_ours_and_a_closed_pipe_stay_what_they_are(error, tmp_path):
    assert said(writing, error, tmp_path) == said(keeping, error, tmp_path) == ""
    assert refused(error) is None


def test_a_sentence_is_not_told_twice(tmp_path):
    sentence = UserError("The model cannot be read (os error 28).")
    assert said(writing, sentence, tmp_path) == str(sentence)


def test_the_disk_of_a_file_is_the_nearest_mount_above(monkeypatch, tmp_path):
    monkeypatch.setattr(os.path, "ismount", lambda p: str(p) in ("/", str(tmp_path)))
    assert disk_of(tmp_path / "a" / "b") == disk_of(tmp_path) == tmp_path
    (tmp_path / "link").symlink_to("/")
    assert disk_of(tmp_path / "link" / "x") == Path("/")


def test_what_nobody_else_told_names_the_file_where_the_system_did():
    told = str(refused(OSError(errno.EROFS, "Read-only file system", "/x/y")))
    assert told.startswith("Cannot write /x/y (Read-only file system, on the disk /): see to")
    assert "(TMPDIR); finished stages are kept." in str(refused(RETOLD))


def test_what_is_kept_elsewhere_is_told_as_what_it_is(tmp_path):
    alone = partial(keeping, alone=True)
    temporary = OSError(errno.ENOSPC, "No space left on device", "/tmp/of-a-library")
    assert said(alone, temporary, tmp_path) == ""
    assert "Cannot write /tmp/of-a-library (No space" in str(refused(temporary))
    assert said(alone, OSError(errno.ENOSPC, "No space", str(tmp_path / "x")), tmp_path)
    assert said(alone, RETOLD, tmp_path).startswith(f"Cannot write {tmp_path} (No space")


def test_rights_and_limits_of_the_account_are_no_bugs_of_ours():
    told = str(refused(PermissionError(errno.EACCES, "Permission denied", "x/y")))
    assert told.startswith("Cannot use x/y (Permission denied): see to its rights")
    assert refused(PermissionError(errno.EACCES, "Permission denied")) is None
    told = str(refused(OSError(errno.EMFILE, "Too many open files", "x")))
    assert told.startswith("The system allows no more (Too many open files): raise the limits")
    assert refused(FileNotFoundError(errno.ENOENT, "No such file or directory", "x")) is None


def test_a_quota_is_room_that_is_not_there(tmp_path):
    told = (
        f"Cannot write {tmp_path} (Disk quota exceeded, on the disk {disk_of(tmp_path)}): free some"
    )
    assert said(writing, QUOTA, tmp_path).startswith(told)
    assert said(keeping, QUOTA, tmp_path).startswith(told)
    assert "free some space, also where temporary files go" in str(refused(QUOTA))


class SmallDisk:
    """A disk that takes so many files, and no more until there is room, or a higher quota."""

    def __init__(self, monkeypatch, files: int, number: int = errno.ENOSPC):
        self.left, self.number = files, number
        monkeypatch.setattr(whole, "open", self.opened, raising=False)

    def opened(self, path, mode):
        self.left -= 1
        if self.left < 0:
            raise OSError(self.number, os.strerror(self.number), str(path))
        return open(path, mode)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=["full", "quota"])
@pytest.mark.parametrize("files", range(3))
def test_a_store_on_a_full_disk_keeps_what_is_finished_and_goes_on(
    monkeypatch, tmp_path, files, number
):
    store, keys = Store(tmp_path), [digest(n) for n in range(3)]
    disk = SmallDisk(monkeypatch, files, number)

    def work():
        for key in keys:
            if store.get("fit", key) is None:
                store.put("fit", key, {}, lambda f: whole.write_whole(f / "file", "w"), 1.0)

    with pytest.raises(
        UserError, match=rf"Cannot write {tmp_path}/fit/{keys[files]} .*on the disk"
    ):
        work()
    assert [e.key for e in store.entries()] == sorted(keys[:files])
    assert store.verify() == []
    disk.left = 3
    work()
    assert len(store.entries()) == len(keys)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_log_on_a_full_disk_is_named_and_goes_on_after_what_was_torn(tmp_path, monkeypatch):
    monkeypatch.setattr(disks, "disk_of", lambda path: Path("/small"))
    with events_of(tmp_path) as event:
        event("start")
    told = r"events.jsonl \(No space.* on the disk /small\)"
    with events_of(tmp_path) as event:
        monkeypatch.setattr("weak2strong.engine.events._write_all", full)
        with pytest.raises(UserError, match=told):
            event("step")
    monkeypatch.undo()
    with events_of(tmp_path) as event:
        event("end")
    assert (tmp_path / FILE).read_bytes().count(b"\n") == 3
    assert [e["event"] for e in read_events(tmp_path)] == ["start", "end"]


def full(log, content):
    """Write half of it, as a full disk does."""
    log.write(content[: len(content) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


COMMANDS = [
    ("export", "moods.jsonl", "--out", "out/moods.jsonl"),
    ("table", "last", "--markdown", "out/table.md"),
    ("analyse", "last", "--out", "out/analysis"),
    ("audit", "moods.jsonl", "--json", "out/audit.json"),
    ("report", "last", "--out", "out/page.html"),
    ("figures", "last", "--only", "scores", "--out", "out/figures"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_what_a_command_writes_beyond_a_quota_is_one_sentence_and_goes_on_with_room(
    command, tmp_path, monkeypatch, capsys
):
    shutil.copy(RELEASED / "moods.jsonl", tmp_path)
    shutil.copytree(RELEASED / "run", tmp_path / "last")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    disk = SmallDisk(monkeypatch, 0, errno.EDQUOT)
    assert main(list(command)) == 2
    told = capsys.readouterr().err
    found = re.fullmatch(
        r"error: Cannot write (out/\S+) \(Disk quota exceeded, on the disk (\S+)\)[^\n]*\n", told
    )
    assert found, told
    assert found[2] == str(disk_of(tmp_path))
    assert not [path for path in Path("out").rglob("*") if path.is_file()]
    disk.left = 100
    assert main(list(command)) == 0
    assert [path for path in Path("out").rglob("*") if path.is_file()]
