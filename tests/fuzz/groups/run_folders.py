"""Folders of finished runs, each file damaged in each way, and every command that reads a run.

A command ends as it does for the whole folder, or in one sentence that names the file; the study
that is run again into the folder mends it, or says why it is not to be written over.
`tests/fuzz/damages.py` prints what each command does as a table.
"""

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path

from fuzz.inputs import Draw, Ended, Input, group

MOODS = Path(__file__).parents[2] / "engine" / "last_release" / "moods.jsonl"

STUDY = """
tasks: [moods.jsonl]
weak: atlas-xs
strong: atlas-xs
seeds: 2
weak_training: {{epochs: 1, evaluations: 1, learning_rate: {rate}}}
strong_training: {{epochs: 1, evaluations: 1, learning_rate: {rate}}}
data: {{n_train: 24, n_validation: 10, n_test: 20}}
"""

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
    "shift": ("shift", "run", "--out", "shifted", *AGAIN),
    "export-model": ("export-model", "run", "--out", "model", "--role", "ceiling", *AGAIN),
    "fetch": ("fetch", "run/study.yaml"),
    "plan": ("run", "run/study.yaml", "--dry-run", "--store", "store"),
    "grid": ("grid", "run/study.yaml", "--dry-run", "--store", "store"),
    "run": ("run", "study.yaml", "--out", "run", *AGAIN),
}
"""The commands that read a run, with the words of one; ``run`` is the study once more."""

FILES = (
    *("run.json", "study.yaml", "results.parquet", "predictions.parquet", "tasks.json"),
    *("work.json", "environment.json", "examples.parquet", "audit.json", "agreement.parquet"),
    *("learned.json", "rates.json", "events.jsonl"),
)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n0\n")


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    digits = [m.start() for m in re.finditer(rb"\d", content)]
    content[len(content) // 2 if path.suffix == ".parquet" else digits[len(digits) // 2]] ^= 1
    path.write_bytes(bytes(content))


def _no_text(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:20] + b"\xff\xfe\x00" + content[23:])


def _of_another_run(path: Path) -> None:
    shutil.copy(Path("other") / path.name, path)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _a_link_to_another(path: Path) -> None:
    path.unlink()
    path.symlink_to(Path("../other") / path.name)


def _of_a_later_version(path: Path) -> None:
    """The whole folder, with an index of a format that this version does not know."""
    from weak2strong.ground.store.sealed import sealed

    index = json.loads(Path("run/run.json").read_text())
    index.pop("digest")
    index |= {"format": 99, "weak2strong": "9.9"}
    Path("run/run.json").write_text(json.dumps(sealed(index), indent=1))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": _emptied,
    "cut": _cut,
    "lengthened": _lengthened,
    "flipped": _flipped,
    "no text": _no_text,
    "missing": Path.unlink,
    "of another run": _of_another_run,
    "a folder": _a_folder,
    "a broken link": _a_link,
    "a link to another": _a_link_to_another,
    "of a later version": _of_a_later_version,
}

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
            _said("run", study, "--out", name, *AGAIN)
            _said("audit", name)
        found = {}
        for command, words in COMMANDS.items():
            shutil.copytree(".", "copy")
            with contextlib.chdir("copy"):
                found[command] = _said(*words)
            shutil.rmtree("copy")
        Path("whole.json").write_text(json.dumps(found))


def _said(*words: str) -> tuple[int, str, str]:
    from weak2strong.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return code, out.getvalue(), err.getvalue()


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
    code, out, err = json.loads((draw.prepared / "whole.json").read_text())[command]
    names: tuple[str | tuple[str, ...], ...] = ("run", _named(file, damage))
    if code:
        # What a whole folder is refused for is said of a damaged one, too, if not the damage.
        return Input(about, COMMANDS[command], (("run", err.strip()),))
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
    plain = [re.sub(r"\(\d+ kB\)|\d+\.\d s\b", "", text) for text in (ended.out, expected)]
    return None if plain[0] == plain[1] else f"it prints something else: {ended.out[:100]!r}"


def _mended(whole: Path) -> str | None:
    """What is wrong with a folder that the study was run into again."""
    for name in set(FILES) - {"run.json", "audit.json", "events.jsonl", "work.json"}:
        path = Path("run", name)
        if path.is_symlink() or path.read_bytes() != (whole / "run" / name).read_bytes():
            return f"{name} is not as it was after the study was run again"
    return None
