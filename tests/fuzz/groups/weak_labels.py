"""Weak labels of a user's own: whole files, wrong rows and values, and damaged files."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from fuzz.data import Row, damaged, write, written
from fuzz.inputs import Draw, Ended, Input, group


def _prepare(folder: Path) -> None:
    """A small task, and the ids of its examples."""
    from weak2strong.config.data import DataOptions
    from weak2strong.tasks.find import find_task

    lines = [f"A text of number {i} here,{('yes', 'no')[i % 2]}" for i in range(60)]
    (folder / "small.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    task = find_task(str(folder / "small.csv"), DataOptions())
    (folder / "ids.json").write_text(json.dumps([e.item.id for e in task.load()]))


WRONG: dict[str, Sequence[Any]] = {
    "label": (2, -1, 0.5, "yes", None, [0], 10**30, "", True + 1, "one", "1 1/2", "1.000.000"),
    "probability": (1.5, -0.1, "half", None, float("nan"), float("inf"), "", [0.5], {}, "1/2"),
    "probabilities": ([0.5], [0.5, 0.6], [1, None], None, "x", {}, [2, -1], [0.2, 0.3, 0.5]),
    "id": (None, "", [], {}, 1.5, True),
}
"""Values that a row cannot have, by its column."""


def _rows(rng: Random, ids: Sequence[str], column: str) -> list[Row]:
    one = [rng.random() for _ in ids]
    values = {
        "label": [int(p > 0.5) for p in one],
        "probability": one,
        "probabilities": [[1 - p, p] for p in one],
    }
    return [{"id": id, column: value} for id, value in zip(ids, values[column], strict=True)]


@group("weak-labels", share=4, prepare=_prepare)
def weak_labels(draw: Draw) -> Input:
    """A file of weak labels, whole, with one wrong row, or damaged."""
    rng = draw.rng
    ids = json.loads((draw.prepared / "ids.json").read_text())
    column = rng.choice(("label", "probability", "probabilities"))
    ending = rng.choice(("jsonl", "parquet") if column == "probabilities" else _ENDINGS)
    rows, path = _rows(rng, ids, column), draw.folder / f"mine.{ending}"
    words = (
        *("run", "--task", str(draw.prepared / "small.csv"), "--weak-labels", path.name),
        *("--strong", "atlas-xs", "--dry-run", "--json"),
    )
    kind = rng.randrange(6)
    if kind == 0:
        return Input(f"whole {column} in {ending}", words, right=_reads(write(path, rows), rows))
    if kind == 1:
        about, content = damaged(rng, written(path.name, rows))
        path.write_bytes(content)
        return Input(f"{column} in {ending}, {about}", words, (path.name,), lambda ended: None)
    if kind == 2:
        about = rng.choice(("no id", "no labels", "no rows", "an id twice"))
        at = rng.randrange(1, len(rows))
        changed = {
            "no id": [{"name": row["id"], column: row[column]} for row in rows],
            "no labels": [{"id": row["id"], "said": 1} for row in rows],
            "no rows": [],
            "an id twice": [*rows, rows[at]],
        }[about]
        write(path, changed or rows[:0] or [])
        return Input(f"{about} in {ending}", words, names=(path.name,))
    where = rng.choice((column, "id"))
    value, at = rng.choice(WRONG[where]), rng.randrange(len(rows))
    rows[at] = {**rows[at], where: value}
    ending = "jsonl" if ending == "parquet" or isinstance(value, list | dict | bool) else ending
    if ending == "csv" and where == "id" and value == 1.5:
        ending = "jsonl"
    path = path.with_suffix(f".{ending}")
    words = tuple(path.name if word.startswith("mine.") else word for word in words)
    write(path, rows)
    return Input(f"{value!r} as {where} in {ending}", words, names=(path.name, f"row {at + 1}"))


_ENDINGS = ("csv", "jsonl", "parquet")


def _reads(path: Path, rows: Sequence[Row]):
    """A check that the file is read as these rows."""

    def check(ended: Ended) -> str | None:
        from weak2strong.ground.weak_labels import read_weak_labels

        found = read_weak_labels(path, 2)
        for row, values in zip(rows, found.probabilities.tolist(), strict=True):
            one = row.get("label", row.get("probability", (row.get("probabilities") or [0])[-1]))
            if abs(values[1] - one) > 1e-9:
                return f"{row} is read as {values}"
        return None if found.ids == tuple(row["id"] for row in rows) else "other ids are read"

    return check
