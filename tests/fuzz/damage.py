"""What can be done to a file of a folder that a command has written, and small studies to do it to.

The fuzz (`groups/run_folders.py`, `groups/experiment_folders.py`) and the tests of damaged folders
share it, so that what is a damage is said once.
"""

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MOODS = Path(__file__).parents[1] / "engine" / "last_release" / "moods.jsonl"

STUDY = """
tasks: [moods.jsonl]
weak: atlas-xs
strong: atlas-xs
seeds: 2
weak_training: {{epochs: 1, evaluations: 1, learning_rate: {rate}}}
strong_training: {{epochs: 1, evaluations: 1, learning_rate: {rate}}}
data: {{n_train: 24, n_validation: 10, n_test: 20}}
"""
"""The text of a study of seconds; folders of two rates are those of two studies."""


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def say(*words: str) -> Said:
    """Run a command in this process."""
    from weak2strong.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(words))
    return Said(code, out.getvalue(), err.getvalue())


def plain(text: str) -> str:
    """What was printed, without the sizes of pages, which hold times, without seconds, and without
    the folders of paths, of which the ends of lines depend."""
    text = re.sub(r"\(\d+ kB\)|\d+\.\d s\b|(?<!\S)/\S*/", "", text)
    return " ".join(text.split())


def emptied(path: Path) -> None:
    """Without any content."""
    path.write_bytes(b"")


def cut(path: Path) -> None:
    """The first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lengthened(path: Path) -> None:
    """A line more."""
    path.write_bytes(path.read_bytes() + b"\n0\n")


def flipped(path: Path) -> None:
    """One bit of one byte in the middle is another; in a JSON file or a study, of a digit."""
    content = bytearray(path.read_bytes())
    digits = [m.start() for m in re.finditer(rb"\d", content)]
    content[len(content) // 2 if path.suffix == ".parquet" else digits[len(digits) // 2]] ^= 1
    path.write_bytes(bytes(content))


def no_text(path: Path) -> None:
    """Bytes that are no text."""
    content = path.read_bytes()
    path.write_bytes(content[:20] + b"\xff\xfe\x00" + content[23:])


def missing(path: Path) -> None:
    """Not there."""
    path.unlink()


def of_another(path: Path) -> None:
    """That of another study's folder, which lies beside this one and is called ``other``."""
    shutil.copy(_other(path), path)


def _other(path: Path) -> Path:
    """The file of the other folder that has the place of this one in it."""
    folder = next(p for p in path.parents if (p.parent / "other").is_dir())
    return folder.parent / "other" / path.relative_to(folder)


def a_folder(path: Path) -> None:
    """An empty folder."""
    path.unlink()
    path.mkdir()


def a_link(path: Path) -> None:
    """A link to nothing."""
    path.unlink()
    path.symlink_to("nowhere")


def a_link_to_another(path: Path) -> None:
    """A link to the file of another study's folder."""
    path.unlink()
    path.symlink_to(_other(path).absolute())


def of_a_later_version(path: Path) -> None:
    """The whole folder, with an index of a format that this version does not know."""
    from weak2strong.ground.store.sealed import sealed

    file = path.with_name("run.json")
    index = json.loads(file.read_text())
    index.pop("digest")
    index |= {"format": 99, "weak2strong": "9.9"}
    file.write_text(json.dumps(sealed(index), indent=1))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": emptied,
    "cut": cut,
    "lengthened": lengthened,
    "flipped": flipped,
    "no text": no_text,
    "missing": missing,
    "of another run": of_another,
    "a folder": a_folder,
    "a broken link": a_link,
    "a link to another": a_link_to_another,
    "of a later version": of_a_later_version,
}
"""By their names in the table of `damages.py`."""
