"""A store with a damaged file in one of its entries: it is found, and results stay right.

`w2s store verify` names entry and file and sets the entry aside; a study that needs the entry
computes it again, with the same results as before.
"""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

from fuzz.damage import MOODS, STUDY, say
from fuzz.groups.run_folders import AGAIN
from fuzz.inputs import Draw, Ended, Input, group


def _replaced(path: Path, by: Callable[[Path], None]) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    by(path)


def _changed(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": lambda path: path.write_bytes(b"") and None,
    "cut": lambda path: _changed(path, lambda content: content[: len(content) // 2]),
    "lengthened": lambda path: _changed(path, lambda content: content + b" "),
    "flipped": lambda path: _changed(path, _flipped),
    "missing": Path.unlink,
    "a folder": lambda path: _replaced(path, Path.mkdir),
    "a link": lambda path: _replaced(path, lambda at: at.symlink_to(Path.cwd() / "moods.jsonl")),
}

OF_FOLDERS: dict[str, Callable[[Path], None]] = {
    "a file": lambda path: _replaced(path, Path.touch),
    "a link": lambda path: _replaced(path, lambda at: at.symlink_to(Path.cwd())),
    "an empty folder": lambda path: _replaced(path, Path.mkdir),
}


def _flipped(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def prepare(folder: Path) -> None:
    """A store, and the scores of the study that filled it."""
    with contextlib.chdir(folder):
        shutil.copy(MOODS, folder)
        Path("study.yaml").write_text(STUDY.format(rate=0.003))
        assert say("run", "study.yaml", "--out", "run", *AGAIN).code == 0


@group("store-entries", prepare=prepare, slow=True)
def store_entries(draw: Draw) -> Input:
    """A damaged file of an entry, or what has taken the place of the entry's folder."""
    for path in draw.prepared.iterdir():
        if path.is_dir():
            shutil.copytree(path, draw.folder / path.name)
        else:
            shutil.copy(path, draw.folder)
    shutil.rmtree(draw.folder / "run")
    entry = draw.rng.choice(sorted(p.parent for p in Path("store").glob("*/*/manifest.json")))
    files = sorted(p for p in entry.rglob("*") if p.is_file())
    if draw.rng.random() < 0.15:
        damage, path = draw.rng.choice(list(OF_FOLDERS)), entry
        OF_FOLDERS[damage](path)
    else:
        damage, path = draw.rng.choice(list(DAMAGES)), draw.rng.choice(files)
        DAMAGES[damage](path)
    about = f"{path.relative_to('store')}: {damage}"
    if draw.number % 2:
        again = ("run", "study.yaml", "--out", "run", *AGAIN)
        return Input(about, again, right=lambda ended: _same(draw.prepared))
    what = path.name if path != entry else ""
    verify = ("store", "verify", "--store", "store")
    return Input(about, verify, right=lambda ended: _found(ended, entry, what))


def _same(prepared: Path) -> str | None:
    """What is wrong with the scores of a run: that they are others than those before."""
    found, before = (at / "run" / "results.parquet" for at in (Path.cwd(), prepared))
    return None if found.read_bytes() == before.read_bytes() else "the scores are others"


def _found(ended: Ended, entry: Path, file: str) -> str | None:
    """What is wrong with a check of the store that has to name an entry, and a file of it."""
    told = [line for line in ended.out.splitlines() if line.startswith("damaged: ")]
    if len(told) != 1 or f"{entry.parent.name} {entry.name[:12]}" not in told[0]:
        return f"the damaged entry is not named: {ended.out!r}"
    if file not in told[0]:
        return f"{file} is not named: {told[0]}"
    if entry.exists() or not list(Path("store/damaged").iterdir()):
        return "the entry is not set aside"
    return None
