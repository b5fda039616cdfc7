"""The runs and experiments in some folders, told by their indices: what each is, and its state.

Nothing large is read: the index of a folder, the study beside it, and the note of its PGR (see
`weak2strong.analysis.shares`). Of the other files only their sizes are compared with the index.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from weak2strong.analysis.shares import read_brief
from weak2strong.config.text import read_listed
from weak2strong.engine.events import FILE as EVENTS
from weak2strong.engine.events import at_work
from weak2strong.engine.recorded import RESULTS, STUDY
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import INDEX, Index, read_index
from weak2strong.ground.store.sealed import DamageError
from weak2strong.ground.table import Column, Document, Row, Table, count, pgr_text, words

OTHERS = (STUDY, RESULTS, EVENTS)
"""Files by which a folder without an index is known."""

DONE, RUNNING, UNFINISHED, DAMAGED = "done", "running", "unfinished", "damaged"

NOT_NOTED = "PGR –: nobody has noted it yet; `w2s table RUN` does."


@dataclass(frozen=True)
class Listed:
    """A run or an experiment in a list.

    Attributes:
        folder: its path.
        kind: ``run``, or the name of an experiment; None where its index cannot be read.
        date: when it was written last.
        state: `DONE`, `RUNNING`, `UNFINISHED` or `DAMAGED`.
        why: what is damaged, in words.
        study: its settings as they stand in its study file; empty without one.
        brief: the note of its PGR.
    """

    folder: Path
    kind: str | None
    date: datetime
    state: str
    why: str = ""
    study: Mapping[str, Any] = field(default_factory=dict)
    brief: Mapping[str, Any] | None = None


def listed(roots: Iterable[Path]) -> list[Listed]:
    """What is in some folders, the newest first; each may be a run itself, or hold several.

    Raises:
        UserError: where one of them is no folder.
    """
    found = dict[Path, Listed]()
    for root in roots:
        if not root.is_dir():
            raise UserError(f"{root} is no folder: name folders of runs, or folders with such.")
        for folder in _folders(root):
            found.setdefault(folder.resolve(), _listed(folder))
    return sorted(found.values(), key=lambda one: (one.date, str(one.folder)), reverse=True)


def _folders(root: Path, deep: int = 2) -> Iterator[Path]:
    """The folders of runs and experiments in a folder, or this folder if it is one."""
    try:
        is_one = any((root / name).is_file() for name in (INDEX, *OTHERS))
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except PermissionError:
        # Nobody can tell what it is, and that is said of it.
        is_one, entries = True, []
    if is_one:
        yield root
    elif deep:
        # A link, such as runs/latest, names a folder once more.
        inside = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for path in inside:
            yield from _folders(Path(path), deep - 1)


def _listed(folder: Path) -> Listed:
    """What a folder holds, as far as it tells."""
    try:
        date = _date(folder)
    except PermissionError as e:
        why = f"it cannot be read ({e.strerror})"
        return Listed(folder, None, _moment(folder.stat().st_mtime), DAMAGED, why)
    try:
        index = read_index(folder)
    except DamageError as e:
        return Listed(folder, None, date, DAMAGED, str(e), *_study(folder)[:1])
    study, wrong = _study(folder)
    kind = index.kind if index else "run"
    wrong = wrong or _misfits(folder, index)
    if wrong:
        return Listed(folder, kind, date, DAMAGED, wrong, study)
    return Listed(folder, kind, date, _state(folder, index), study=study, brief=read_brief(folder))


def _date(folder: Path) -> datetime:
    """When the index was written, or else the file that says so last."""
    files = [folder / INDEX] if (folder / INDEX).exists() else [folder / n for n in OTHERS]
    return _moment(max(file.stat().st_mtime for file in files if file.exists()))


def _moment(seconds: float) -> datetime:
    """A time of a file; the first that there is where a file has one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds).astimezone()
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0).astimezone()


def _state(folder: Path, index: Index | None) -> str:
    """Whether there are results (those of a run, or any table of an experiment), or will be."""
    if index is None:
        done = (folder / RESULTS).is_file()
    elif index.kind == "run":
        done = RESULTS in index.files
    else:
        done = any(name.endswith(".parquet") for name in index.files)
    return DONE if done else RUNNING if at_work(folder) else UNFINISHED


def _misfits(folder: Path, index: Index | None) -> str:
    """The first file that is missing or has another size than the index says."""
    for name, known in (index.files if index else {}).items():
        try:
            size = (folder / name).stat().st_size
        except OSError:
            return f"{name} is missing"
        if size != known["bytes"]:
            return f"{name} has {size:,} bytes, not {known['bytes']:,}"
    return ""


def _study(folder: Path) -> tuple[Mapping[str, Any], str]:
    """The settings in a study file, and what is wrong with it."""
    try:
        return read_listed((folder / STUDY).read_bytes()), ""
    except FileNotFoundError:
        return {}, ""
    except OSError as e:
        return {}, f"{STUDY} cannot be read ({e.strerror})"
    except UserError as e:
        return {}, f"{STUDY} {e}"


def listed_document(found: Iterable[Listed]) -> Document:
    """A row a run or experiment."""
    rows = [_row(one) for one in found]
    columns = [
        words("run"),
        Column("date", "date", lambda row: row["date"][:16].replace("T", " "), "left"),
        words("kind"),
        words("state", tone=_tone),
        Column("pgr", "PGR [95%]", _pgr, "left", wraps=True),
        Column("why", "damage", lambda row: row["why"] or "", "left", detail=True),
        Column("tasks", "tasks", lambda row: _some(row["tasks"]), "left", detail=True),
        Column("weak", "pair", _pair, "left", detail=True),
        Column("methods", "methods", lambda row: _some(row["methods"]), "left", detail=True),
        count("seeds", detail=True),
    ]
    lacking = any(r["state"] == DONE and r["kind"] == "run" and r["pgr"] is None for r in rows)
    table = Table("runs", "", columns, rows, [NOT_NOTED] if lacking else [])
    head = [] if rows else ["There is no run here: `w2s run` makes one."]
    return Document([table] if rows else [], {} if rows else {"runs": []}, head=head)


def _row(one: Listed) -> dict[str, Any]:
    study = one.study
    brief = one.brief or {}
    return {
        "run": str(one.folder),
        "date": one.date.isoformat(timespec="seconds"),
        "kind": one.kind,
        "state": one.state,
        "why": one.why or None,
        "tasks": _texts(study.get("tasks")),
        "weak": _weak(study),
        "strong": _model(study.get("strong")),
        "methods": _texts(study.get("methods")),
        "seeds": study["seeds"] if isinstance(study.get("seeds"), int) else None,
        "pgr_of": brief.get("name"),
        "pgr": brief.get("methods"),
    }


def _texts(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]


def _model(value: Any) -> str | None:
    name = value.get("name") if isinstance(value, dict) else value
    return None if name is None else str(name)


def _weak(study: Mapping[str, Any]) -> str | None:
    """The supervisor, or where the weak labels come from."""
    simulated, labels = study.get("simulated"), study.get("weak_labels")
    return str(simulated or labels) if simulated or labels else _model(study.get("weak"))


def _some(names: list[str], most: int = 3) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _pair(row: Row) -> str:
    return f"{row['weak']} to {row['strong']}" if row["weak"] and row["strong"] else ""


def _tone(row: Row) -> str:
    return {DAMAGED: "error", UNFINISHED: "warning"}.get(row["state"], "")


def _pgr(row: Row) -> str:
    if row["pgr"] is None:
        return "–" if row["state"] == DONE and row["kind"] == "run" else ""
    told = ", ".join(f"{of['method']} {pgr_text(of)}" for of in row["pgr"])
    return told if row["pgr_of"] == "PGR" else f"{row['pgr_of'].removesuffix(' PGR')}: {told}"
