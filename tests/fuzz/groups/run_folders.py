"""Folders of finished runs, each file damaged in each way, and every command that reads a run.

A command ends as it does for the whole folder, or in one sentence that names the file; the study
that is run again into the folder mends it, or says why it is not to be written over.
`tests/fuzz/damages.py` prints what each command does as a table.
"""

import contextlib
import json
import shutil
from itertools import product
from pathlib import Path

from fuzz.damage import DAMAGES, MOODS, STUDY, plain, say
from fuzz.inputs import Draw, Ended, Input, group

AGAIN = ("--store", "store", "--quiet")

COMMANDS = {
    "table": ("table", "run"),
    "report": ("report", "run", "--out", "page.html"),
    "figures": ("figures", "run", "--out", "figures", "--format", "svg"),
    "compare": ("compare", "run"),
    "power": ("power", "run", "--score", "student"),
    "analyse": ("analyse", "run"),
    "verify": ("verify", "run", "--trusted", "10"),
    "audit": ("audit", "run"),
    "explain": ("explain", "run", "--out", "explained"),
    "overlap": ("overlap", "run", "--out", "overlapped", *AGAIN),
    "export-model": ("export-model", "run", "--out", "model", "--role", "ceiling", *AGAIN),
    "fetch": ("fetch", "run/study.yaml"),
    "plan": ("run", "run/study.yaml", "--dry-run", "--store", "store"),
    "resolved": ("run", "run/study.yaml", "--explain", "--store", "store"),
    "run": ("run", "study.yaml", "--out", "run", *AGAIN),
}
"""The commands that read a run, with the words of one; ``run`` is the study once more."""

FILES = (
    *("run.json", "study.yaml", "results.parquet", "predictions.parquet", "tasks.json"),
    *("work.json", "environment.json", "examples.parquet", "audit.json", "agreement.parquet"),
    *("learned.json", "rates.json", "training.parquet", "events.jsonl"),
)


CASES = [
    (file, damage, command)
    for file, damage, command in product(FILES, DAMAGES, COMMANDS)
    if damage != "of a later version" or file == "run.json"
]
"""Every file, damage and command; inputs go through them with steps that share no factor."""
STEP = 641


def prepare(folder: Path) -> None:
    """Two finished runs, ``run`` and ``other``, their store, and what each command prints."""
    with contextlib.chdir(folder):
        shutil.copy(MOODS, folder)
        for name, rate in {"run": 0.003, "other": 0.001}.items():
            study = "study.yaml" if name == "run" else "other.yaml"
            Path(study).write_text(STUDY.format(rate=rate))
            _done("run", study, "--out", name, *AGAIN)
            _done("audit", name)
        found = {}
        for command, words in COMMANDS.items():
            shutil.copytree(".", "copy")
            with contextlib.chdir("copy"):
                found[command] = _done(*words)
            shutil.rmtree("copy")
        Path("whole.json").write_text(json.dumps(found))


def _done(*words: str) -> str:
    """What a command prints of a whole folder; one that is refused would tell nothing of damage."""
    said = say(*words)
    assert said.code == 0, (words, said.err)
    return said.out


@group("run-folders", share=2, prepare=prepare, slow=True)
def run_folders(draw: Draw) -> Input:
    """One of the cases."""
    file, damage, command = CASES[draw.number * STEP % len(CASES)]
    for name in ("run", "other", "store"):
        shutil.copytree(draw.prepared / name, draw.folder / name, copy_function=_copy)
    for name in ("study.yaml", "moods.jsonl"):
        shutil.copy(draw.prepared / name, draw.folder)
    DAMAGES[damage](draw.folder / "run" / file)
    about = f"{file}; {damage}; {command}"
    out = json.loads((draw.prepared / "whole.json").read_text())[command]
    names: tuple[str | tuple[str, ...], ...] = ("run", _named(file, damage))
    if command == "run":
        return Input(about, COMMANDS[command], names, lambda ended: _mended(draw.prepared))
    return Input(about, COMMANDS[command], names, lambda ended: _same(ended, out))


def _copy(source: str, target: str) -> None:
    """A file of the store is not changed, so that a second name will do."""
    if "store" in Path(target).parts:
        Path(target).hardlink_to(source)
    else:
        shutil.copy(source, target)


def _named(file: str, damage: str) -> str | tuple[str, ...]:
    """What the sentence must hold: the file, or any file where the index is that of another run."""
    if file == "run.json" and damage in ("of another run", "a link to another"):
        return FILES
    return file


def _same(ended: Ended, expected: str) -> str | None:
    """What is wrong with a command that did not need the file: that it prints something else."""
    same = plain(ended.out) == plain(expected)
    return None if same else f"it prints something else: {ended.out[:100]!r}"


def _mended(whole: Path) -> str | None:
    """What is wrong with a folder that the study was run into again."""
    for name in set(FILES) - {"run.json", "audit.json", "events.jsonl", "work.json"}:
        path = Path("run", name)
        if path.is_symlink() or path.read_bytes() != (whole / "run" / name).read_bytes():
            return f"{name} is not as it was after the study was run again"
    return None
