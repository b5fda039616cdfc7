"""Paths that cannot be: too long, of nobody, folders for files, files for folders, pipes, links."""

import os
from collections.abc import Callable
from pathlib import Path

from fuzz.inputs import Draw, Input, group

READERS: dict[str, tuple[str, ...]] = {
    "a task": ("tasks", "{}"),
    "a plugin": ("methods", "--plugin", "{}"),
    "a study": ("run", "{}", "--dry-run"),
    "a run": ("table", "{}"),
    "runs to compare": ("compare", "{}"),
    "a run to report": ("report", "{}"),
    "a run to analyse": ("analyse", "{}"),
    "a run to verify": ("verify", "{}"),
    "a run for power": ("power", "{}"),
    "weak labels": ("run", "--dry-run", "--weak-labels", "{}"),
    "data": ("run", "--dry-run", "--data", "{}"),
    "a model": ("run", "--dry-run", "--weak", "{}"),
    "a model to predict with": ("predict", "--model", "{}", "--task", "{}", "--out", "o.csv"),
    "annotators": ("annotators", "{}", "--weak-label-columns", "a"),
    "a test": ("tasks", "{}", "--test-on", "{}"),
}
"""Commands that read what a path names."""

WRITERS: dict[str, tuple[str, ...]] = {
    "an export": ("export", "atlas-asia", "--out", "{}"),
    "a run": ("run", "--task", "small.csv", "--weak", "atlas-xs", "--out", "{}"),
    "a store": ("run", "--task", "small.csv", "--weak", "atlas-xs", "--store", "{}"),
    "an experiment": ("grid", "--task", "small.csv", "--out", "{}"),
    "digits": ("digits", "--out", "{}"),
    "mates": ("chess", "mates", "--out", "{}"),
}
"""Commands that write what a path names."""

LONG = "x" * 300


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _link(path: Path, to: str) -> Path:
    path.symlink_to(to)
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _file(path: Path, content: bytes = b"text\n") -> Path:
    path.write_bytes(content)
    return path


TO_READ: dict[str, Callable[[Path], str]] = {
    "a name too long": lambda f: str(f / f"{LONG}.csv"),
    "a path too long": lambda f: str(f / "/".join(["deep"] * 1000) / "a.csv"),
    "of nobody": lambda f: "~nobody-here/a.csv",
    "not there": lambda f: str(f / "gone.csv"),
    "in a file": lambda f: str(_file(f / "file.csv") / "a.csv"),
    "an empty folder": lambda f: str(_folder(f / "folder.csv")),
    "a link to nothing": lambda f: str(_link(f / "link.csv", "gone")),
    "a link to itself": lambda f: str(_link(f / "loop.csv", "loop.csv")),
    "a pipe": lambda f: str(_pipe(f / "pipe.csv")),
    "a device": lambda f: "/dev/zero",
    "the memory": lambda f: "/proc/self/mem",
    "nothing": lambda f: "",
    "a NUL": lambda f: f"{f}/a\0b.csv",
    "half a character": lambda f: f"{f}/a\udce9b.csv",
    "a line break": lambda f: f"{f}/a\nb.csv",
    "only spaces": lambda f: "   ",
    "an empty file": lambda f: str(_file(f / "empty.csv", b"")),
    "noise": lambda f: str(_file(f / "noise.csv", bytes(range(256)) * 9)),
    "a slash behind a file": lambda f: f"{_file(f / 'file.csv')}/",
}
"""Paths that nothing can be read from, by what they are."""

TO_WRITE: dict[str, Callable[[Path], str]] = {
    "a name too long": lambda f: str(f / LONG),
    "of nobody": lambda f: "~nobody-here/out",
    "in a file": lambda f: str(_file(f / "file") / "out"),
    "a link to itself": lambda f: str(_link(f / "loop", "loop")),
    "in a link to nothing": lambda f: str(_link(f / "link", "gone/far/away") / "out"),
    "below a device": lambda f: "/dev/null/out",
    "in no file system": lambda f: "/proc/w2s-out",
    "a NUL": lambda f: f"{f}/a\0b",
    "a path too long": lambda f: str(f / "/".join(["deep"] * 1000)),
}
"""Paths that nothing can be written to."""


@group("paths", share=3)
def to_read(draw: Draw) -> Input:
    """A path that a command cannot read what it needs from."""
    rng = draw.rng
    reader, what = rng.choice(sorted(READERS)), rng.choice(sorted(TO_READ))
    path = TO_READ[what](draw.folder)
    words = tuple(word.replace("{}", path) for word in READERS[reader])
    names = (_told(path, words),)
    return Input(f"{reader}: {what}", words, names=names)


def _told(path: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """How a sentence may name a path: whole, shortened, as it can be written, or by its flag."""
    flags = tuple(word for word in words if word.startswith("--") and word != "--dry-run")
    parts = [part for part in path.replace("\udce9", "\\xe9").split("/") if part.strip()]
    last = parts[-1][:60] if parts else "''"
    if "deep/deep" in path:
        last = "deep/deep"
    written = repr(last)[1:-1]
    other = last.replace("\\xe9", "\\udce9")
    return (last, other, written, written.replace("\\", "\\\\"), *flags, *(() if parts else ("",)))


@group("outputs", share=2)
def to_write(draw: Draw) -> Input:
    """A path that a command cannot write to, which it says before it computes anything."""
    rng = draw.rng
    writer, what = rng.choice(sorted(WRITERS)), rng.choice(sorted(TO_WRITE))
    path = TO_WRITE[what](draw.folder)
    words = _with_small_data(draw.folder, writer, path)
    return Input(f"{writer}: {what}", words, names=(_told(path, words),))


@group("taken-outputs", share=0.3)
def taken(draw: Draw) -> Input:
    """An output where somebody else's file is: refused, and left as it was."""
    rng = draw.rng
    other = draw.folder / "other"
    writer = rng.choice(("a run", "an experiment", "digits"))
    inside = writer == "a run" and rng.random() < 0.5
    kept = _folder(other) / "results.parquet" if inside else other
    kept.write_text("mine")
    words = _with_small_data(draw.folder, writer, str(other))
    return Input(f"{writer} in {kept.relative_to(draw.folder)}", words, names=("other",))


def _with_small_data(folder: Path, writer: str, path: str) -> tuple[str, ...]:
    """The words of a command that writes to a path."""
    lines = [f"A text of number {i} here,{('yes', 'no')[i % 2]}" for i in range(60)]
    _file(folder / "small.csv", "\n".join(["text,label", *lines]).encode())
    return tuple(word.replace("{}", path) for word in WRITERS[writer])
