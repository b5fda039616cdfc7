"""Task files of each kind and format: whole ones, with a wrong cell, without a column, damaged."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fuzz.data import SEALED, WORDS, Data, damaged, data, file_name, packed, text, write, written
from fuzz.inputs import Draw, Ended, Input, group

READ = ("tasks", "--json")


def given(rows: Sequence[Any]) -> Counter[tuple[str, str]]:
    """What each row that was read says: its text and its answer, by their names."""
    return Counter(map(_said, rows))


def _said(row: Any) -> tuple[str, str]:
    if row.completions:
        return row.text, row.completions[row.label].strip()
    return row.text, str(row.label)


def meant(of: Data) -> Counter[tuple[str, str]]:
    """The same of rows as they were written."""
    return Counter((row[of.text], _name(of, row[of.answer])) for row in of.rows)


def _name(of: Data, value: Any) -> str:
    if of.kind != "classification":
        return str(value).strip()
    classes = _classes(of)
    return str(classes.index(str(value).lower() if isinstance(value, bool) else str(value)))


def _classes(of: Data) -> list[str]:
    """The classes in their order: numbers as numbers, names as names."""
    labels = {str(row[of.answer]).lower() for row in of.rows}
    if all(label.lstrip("-").isdigit() for label in labels):
        return sorted(labels, key=int)
    return (
        sorted({str(row[of.answer]) for row in of.rows})
        if labels != {"true", "false"}
        else [
            "false",
            "true",
        ]
    )


def reads(path: str, of: Data, left_out: int = 0, lost: int = 0, **options: Any):
    """A check that a file is read as these rows, in this process and by the command.

    Args:
        path: of the file.
        of: what was written.
        left_out: how many rows must be counted as malformed.
        lost: how many rows may be other ones than were written.
        options: with which it was read.
    """

    def check(ended: Ended) -> str | None:
        from weak2strong.config.data import DataOptions
        from weak2strong.tasks.find import find_task

        if '"tasks"' not in ended.out:
            return "nothing is told of the task"
        task = find_task(path, DataOptions(**options))
        found, wanted = given(task.rows), meant(of)
        if task.kind != of.kind:
            return f"it is read as {task.kind}"
        other = (wanted - found).total()
        if other > left_out + lost:
            return f"{other} rows are not read as they were written"
        new = (found - wanted).total()
        if new > lost:
            return f"{new} rows are read that were not written, such as {(found - wanted)}"[:200]
        if left_out and task.accounts[0].malformed != left_out:
            return f"{task.accounts[0].malformed} rows are counted as malformed, not {left_out}"
        return None

    return check


@group("tables", share=4)
def whole_tables(draw: Draw) -> Input:
    """A whole file of any kind, format and packing, which must be read as it was written."""
    name, of = file_name(draw.rng), data(draw.rng)
    path = str(write(draw.folder / name, of.rows))
    return Input(f"whole {of.kind} in {name}", (*READ, path), right=reads(path, of))


@group("damaged-tables", share=6)
def damaged_tables(draw: Draw) -> Input:
    """A file with bytes cut, flipped, added or taken out."""
    name, of = file_name(draw.rng), data(draw.rng)
    content = packed(name, written(name, of.rows))
    what, content = damaged(draw.rng, content)
    path = draw.folder / name
    path.write_bytes(content)
    sealed = name.rpartition(".")[2] in SEALED
    check = reads(str(path), of, lost=0 if sealed else len(of.rows) + 1)

    def right(ended: Ended) -> str | None:
        return check(ended) if sealed else None

    return Input(f"{name}, {what}", (*READ, str(path)), names=(name,), right=right)


WRONG: dict[str, Sequence[Any]] = {
    "text": (None, "", "  ", 7, 2.5, True, ["a", "b"], {"a": 1}, "half \ud800 character"),
    "answer": (None, "", [], {}, {"a": [1]}, 2.5, float("nan"), float("inf"), "half \udfff", [[1]]),
}
"""Values that a row may not have, by what its column is for."""


@group("cells", share=5)
def wrong_cells(draw: Draw) -> Input:
    """One or several wrong cells: refused by row where it is strict or they are many."""
    rng = draw.rng
    of = data(rng, "classification" if rng.random() < 0.6 else "generation", 100)
    where = rng.choice(("text", "answer"))
    value = rng.choice(WRONG[where])
    if of.kind == "generation" and where == "answer":
        value = rng.choice((None, "", {}, [[1]], {"a": 1}, True))
    column = of.text if where == "text" else of.answer
    many = rng.choice((1, 2, 5, 30))
    at = sorted(rng.sample(range(100), many))
    rows = [{**row, column: value} if i in at else row for i, row in enumerate(of.rows)]
    name = f"cells.{rng.choice(('jsonl', 'json', 'ndjson', 'jsonl.gz', 'json.zip'))}"
    path = write(draw.folder / name, rows)
    strict = rng.random() < 0.5
    words = (*READ, str(path), *(("--strict-rows",) if strict else ()))
    about = f"{value!r} in {column} of {many} rows of {name}{', strict' if strict else ''}"
    if strict or many > 5:
        return Input(about, words, names=(name, f"row {at[0] + 1}"))
    left = replace(of, rows=[row for i, row in enumerate(of.rows) if i not in at])
    return Input(about, words, right=reads(str(path), left, left_out=0))


@group("columns", share=3)
def columns(draw: Draw) -> Input:
    """Columns that are not there, are named by two flags, or have another name."""
    rng = draw.rng
    of = data(rng, "classification")
    name = file_name(rng)
    kind = rng.randrange(7)
    if kind == 0:
        gone = rng.choice(("text", "label"))
        rows = [{"x" if k == gone else k: v for k, v in row.items()} for row in of.rows]
        path = write(draw.folder / name, rows)
        names = (name, gone)
        return Input(f"{name} without {gone}", (*READ, str(path)), names=names)
    flag = rng.choice(
        (
            *("text-column", "label-column", "group-column", "id-column", "split-column"),
            *("preference-column", "target-column", "weak-label-columns", "template"),
        )
    )
    path = write(draw.folder / name, of.rows)
    if kind in (1, 2, 3):
        value = "{nix} is" if flag == "template" else "nix"
        names = (name, "nix") if flag != "preference-column" else (name,)
        return Input(f"--{flag} of none in {name}", (*READ, str(path), f"--{flag}", value), names)
    if kind == 4:
        rows = [{"Text ": row["text"], "LABEL": row["label"]} for row in of.rows]
        write(path, rows)
        same = replace(of, rows=of.rows)
        return Input(f"odd names in {name}", (*READ, str(path)), right=reads(str(path), same))
    if kind == 5:
        rows = [{"words": row["text"], "sort": row["label"], "text": "no"} for row in of.rows]
        write(path, rows)
        words = (*READ, str(path), "--text-column", "words", "--label-column", "sort")
        check = reads(str(path), of, text_column=("words",), label_column="sort")
        return Input(f"named columns in {name}", words, right=check)
    rows = [{**row, "id": f"i{min(i, 30)}"} for i, row in enumerate(of.rows)]
    write(path, rows)
    words = (*READ, str(path), "--id-column", "id")
    return Input(f"ids twice in {name}", words, names=(name, "row 32", "i30"))


@group("contents", share=4)
def contents(draw: Draw) -> Input:
    """Files that are something else, have too few rows or one class, or cannot be opened."""
    rng, name = draw.rng, file_name(draw.rng)
    path, of = draw.folder / name, data(draw.rng, "classification")
    words = (*READ, str(path))
    kind = rng.randrange(12)
    made: bytes | None = None
    if kind == 0:
        about, made = "empty", b""
    elif kind == 1:
        about, made = "blank", rng.choice((b" ", b"\n\n", b"\xef\xbb\xbf", b"\r\n \t"))
    elif kind == 2:
        about, made = "noise", bytes(rng.randrange(256) for _ in range(rng.choice((3, 50, 3000))))
    elif kind == 3:
        other = rng.choice([f for f in ("parquet", "arrow", "csv.gz", "csv.xz") if f not in name])
        about, made = f"content of {other}", packed(f"x.{other}", written(f"x.{other}", of.rows))
    elif kind == 4:
        about, made = "only zeros", bytes(rng.choice((1, 100, 100_000)))
    elif kind == 5:
        about = "one class"
        write(path, [{**row, "label": "same"} for row in of.rows])
    elif kind == 6:
        about = "too few rows"
        write(
            path, [{"text": text(rng, i), "label": "ab"[i % 2]} for i in range(rng.randint(2, 5))]
        )
    elif kind == 7:
        about = "no rows"
        made = packed(name, written(name, of.rows[:1])[:11]) if "csv" in name else b"[]"
    elif kind == 8:
        about = "a folder"
        path.mkdir()
    elif kind == 9:
        about = "a link to nothing"
        path.symlink_to(draw.folder / "gone")
    elif kind == 10:
        about = "a pipe"
        os.mkfifo(path)
    else:
        about = "not there"
    if made is not None:
        path.write_bytes(made)
    names = (name,) if kind != 11 else ((name, str(path)),)
    return Input(f"{name}: {about}", words, names=names)


@group("encodings", share=1)
def encodings(draw: Draw) -> Input:
    """Text files in several encodings, named and not named."""
    rng = draw.rng
    encoding = rng.choice(("utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-16-le", "utf-32"))
    rows = [
        {"text": f"café {' '.join(rng.choices(WORDS, k=4))} n{i}", "label": ("yes", "no")[i % 2]}
        for i in range(60)
    ]
    of = Data("classification", rows, "text", "label")
    name = f"data.{rng.choice(('csv', 'tsv'))}"
    path = draw.folder / name
    path.write_bytes(written(name, rows).decode().encode(encoding))
    named = rng.choice((None, encoding, "nonsense"))
    words = (*READ, str(path), *(("--encoding", named) if named else ()))
    about = f"{name} in {encoding}, said to be {named}"
    if named == "nonsense":
        return Input(about, words, names=("nonsense",))
    if named or encoding in ("utf-8-sig", "utf-16", "utf-32"):
        check = reads(str(path), of, encoding=named)
        return Input(about, words, right=check)
    return Input(about, words, names=(name,))
