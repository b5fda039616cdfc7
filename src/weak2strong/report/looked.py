"""Test examples in a terminal: what is asked, what is true, and what was answered."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from weak2strong.analysis.looked import Looked, Voice
from weak2strong.analysis.looking import Found, Seen
from weak2strong.ground.table import Column, Document, Row, Table, counted, number_text, words
from weak2strong.tasks.task import TEXTS

HOW = {
    "change": "those first whose students moved most from their supervisors",
    "confidence": "those first of whose answers students are most sure",
    "difficulty": "the hardest first",
}
"""How examples are sorted."""

SIDES = ("first", "second")
"""The titles of two texts side by side."""


def looked_document(found: Found, sort: str) -> Document:
    """The examples that were asked for, a block each; JSON has one row each."""
    tables = [table for i, seen in enumerate(found.examples) for table in _block(found, seen, i)]
    return Document(
        tables=tables,
        facts={
            "examples": found.rows,
            "method": found.method,
            "matched": found.matched,
            "tested": sum(len(one.ids) for one in found.looked),
        },
        head=[*_head(found, sort)],
        notes=[*_more(found), *_lacking(found)],
    )


def _head(found: Found, sort: str) -> Iterator[str]:
    """How many there are, and how to read them."""
    of = found.looked[0].task if len(found.looked) == 1 else counted(len(found.looked), "task")
    tested = sum(len(one.ids) for one in found.looked)
    shown = f"{found.matched:,} of {counted(tested, 'test example')} of {of}"
    others = [name for name in found.run.config.methods if name != found.method]
    whose = f"; student means {found.method}" if others else ""
    if not found.matched:
        return iter([f"{shown}{whose}."])
    return iter([f"{shown}, {HOW[sort]}{whose}.", _numbers(found.looked[0])])


def _numbers(one: Looked) -> str:
    seeds = one.seeds
    if one.weak.truth is None:
        if len(seeds) == 1:
            return f"In a row: the answer (seed {seeds[0]})."
        return f"In a row: the answer that most of {len(seeds)} seeds gave, then that of each."
    if len(seeds) == 1:
        return f"In a row: the answer, and the probability of the truth (seed {seeds[0]})."
    return (
        "In a row: the answer, the probability of the truth "
        f"(mean of {len(seeds)} seeds), and that of each seed."
    )


def _block(found: Found, seen: Seen, position: int) -> Iterator[Table]:
    """What is asked, and what was answered."""
    one, i = seen.among, seen.at
    facts = [f"{position + 1}.", one.ids[i]]
    if len(found.looked) > 1:
        facts.append(one.task)
    if one.difficulty is not None:
        facts.append(f"difficulty {number_text(float(one.difficulty[i]), 2)}")
    above, beside = asked(seen)
    title = "\n".join([" ".join(facts), *([above] if above else [])])
    if beside:
        columns = [words(str(side), SIDES[side], wraps=True) for side in range(len(beside))]
        yield Table("examples", title, columns, [{str(k): text for k, text in enumerate(beside)}])
        title = ""
    truth = f"truth: {' or '.join(one.labels[i])}"
    yield Table("examples", f"{title}\n{truth}".lstrip("\n"), _columns(one), list(_rows(one, i)))


def asked(seen: Seen) -> tuple[str, tuple[str, ...]]:
    """What is asked of an example, and the texts that are compared, where there are two.

    What both begin with, such as a prompt, is said once.
    """
    if seen.shown is None:
        return "(its text is not kept)", ()
    texts = seen.shown.texts
    if len(texts) != TEXTS["preference"]:
        return " ".join(texts) or "(an image, which the page of w2s report shows)", ()
    begin = common_beginning(*texts)
    return begin.strip(), tuple(text[len(begin) :].strip() for text in texts)


def common_beginning(one: str, other: str) -> str:
    """What two texts begin with, up to the end of a word."""
    both = zip(one, other, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
    # In the middle of a word it would be cut in two.
    while same and not one[same - 1].isspace():
        same -= 1
    return one[:same]


def _rows(one: Looked, i: int) -> Iterator[dict[str, Any]]:
    """A row a role: its answer, and those of its seeds."""
    for who, voice in one.voices.items():
        moved = voice.moved[i] if who in one.students else None
        yield {
            "who": who,
            "answer": voice.name[i],
            "right": bool(voice.is_right[i]),
            "truth": None if voice.truth is None else float(voice.truth[:, i].mean()),
            "moved": moved,
            "by_seed": _by_seed(voice, i),
        }


def _by_seed(voice: Voice, i: int) -> str:
    """What seeds answered, where there are several."""
    if len(voice.said) == 1:
        return ""
    if voice.truth is None:
        same = len(set(voice.names[:, i])) == 1
        return "all seeds" if same else " | ".join(voice.names[:, i])
    return " ".join(f"{p:.2f}" for p in voice.truth[:, i])


def _columns(one: Looked) -> list[Column]:
    """The columns of answers; they stand without heads, since each block has them."""

    def right(row: Row) -> str:
        return "right" if row["right"] else "wrong"

    def moved(row: Row) -> str:
        return "" if row["moved"] is None else f"moved {row['moved']:.2f}"

    def tone(row: Row) -> str:
        return "" if row["right"] else "warning"

    columns = [
        words("who", ""),
        words("answer", "", wraps=True, tone=tone),
        Column("right", "", right, align="left", tone=tone),
    ]
    if one.weak.truth is not None:
        columns.append(Column("truth", "", lambda row: f"{row['truth']:.2f}"))
    columns.append(Column("moved", "", moved, align="left"))
    if len(one.seeds) > 1:
        columns.append(words("by_seed", "", detail=True, tone=lambda row: "quiet"))
    return columns


def _more(found: Found) -> Iterator[str]:
    if found.matched > len(found.examples):
        left = found.matched - len(found.examples)
        yield f"{left:,} more: --limit {found.matched} shows all of them."


def _lacking(found: Found) -> Iterator[str]:
    for task, why in found.lacking.items():
        said = why.rstrip(".")
        yield f"Some texts of {task} are not in the run folder, and cannot be read again: {said}."
