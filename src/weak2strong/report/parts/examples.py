"""Test examples on the page: a viewer, and some of them for readers without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.looked import Looked, Voice, looked_at
from weak2strong.analysis.looking import Seen
from weak2strong.report.examples import TITLES, cases, drawn
from weak2strong.report.figures.style import CEILING, FLOOR, Styles
from weak2strong.report.looked import asked
from weak2strong.report.names import folder_word
from weak2strong.report.parts.part import Part
from weak2strong.report.pictures import theme
from weak2strong.report.templates import template

if TYPE_CHECKING:
    from markupsafe import Markup

ROOM = 3_000_000
"""Characters of data that the viewer of a run has, of each of its tasks an equal share."""


def _write(run: FinishedRun, styles: Styles, prefix: str) -> Markup:
    """The viewer of a run's test examples."""
    from jinja2.utils import htmlsafe_json_dumps
    from markupsafe import Markup

    variables = {light: f"var({name})" for name, (light, _) in theme().items()}
    colours = [FLOOR, *(styles[method].colour for method in run.config.methods), CEILING]
    tasks = [_task(looked_at(run, task), ROOM / len(run.by_task)) for task in run.by_task]
    shown, total = sum(len(t["rows"]) for t in tasks), sum(t["total"] for t in tasks)
    command = f"w2s examples {folder_word(run.folder)}"
    data = {
        "command": command,
        "methods": run.config.methods,
        "colours": [variables[colour] for colour in colours],
        "tasks": tasks,
    }
    compact = partial(json.dumps, separators=(",", ":"), ensure_ascii=False)
    capped = (
        ""
        if shown == total
        else f"The page has room for {shown:,} of {total:,} test examples: by turns of those that "
        "students corrected, lost, left wrong and left right, those first whose students moved "
        f"most; {command} shows all."
    )
    return Markup(
        template("examples.html").render(
            {
                "data": htmlsafe_json_dumps(data, dumps=compact),
                "capped": capped,
                "chosen": any(not task["written"] for task in tasks),
                "written": any(task["written"] for task in tasks),
                "has_texts": run.examples is not None,
                "cases": {
                    task: [(TITLES[outcome], some) for outcome, some in found.items()]
                    for task, found in cases(run).items()
                },
            }
        )
    )


def _task(looked: Looked, room: float) -> dict[str, Any]:
    """The data of a task: as many of its examples as there is room for."""
    numbers = _Numbers(looked.classes)
    rows = []
    for i in _by_turns(looked):
        row = _row(looked, i, numbers)
        room -= len(json.dumps(row, separators=(",", ":"), ensure_ascii=False))
        if room < numbers.characters:
            break
        rows.append(row)
    return {
        "name": looked.task,
        "total": len(looked.ids),
        "classes": looked.classes,
        "answers": list(numbers),
        "written": looked.weak.truth is None,
        "difficulty": looked.difficulty is not None,
        "seeds": looked.seeds,
        "rows": rows,
    }


class _Numbers(dict[str, int]):
    """The numbers of answers: those of classes, then of texts as they are asked for.

    Attributes:
        characters: of all answers.
    """

    def __init__(self, classes: Sequence[str]):
        super().__init__((name, i) for i, name in enumerate(classes))
        self.characters = sum(map(len, classes))

    def __missing__(self, name: str) -> int:
        self.characters += len(name)
        self[name] = len(self)
        return self[name]


def _by_turns(looked: Looked) -> Iterator[int]:
    """All positions: by turns of each outcome of the first method, and there by change."""
    student = next(iter(looked.students.values()))
    order = np.argsort(-student.moved, kind="stable")
    outcome = 2 * looked.weak.is_right[order] + student.is_right[order]
    parts = [order[outcome == one].tolist() for one in (1, 2, 0, 3)]
    yield from (i for turn in zip_longest(*parts) for i in turn if i is not None)


def _row(looked: Looked, i: int, numbers: dict[str, int]) -> list[Any]:
    """An example as ``examples.js`` reads it."""
    shown = looked.kept.get(looked.ids[i])
    begin, sides = asked(Seen(looked, i, shown)) if shown and shown.texts else ("", ())
    difficulty = None if looked.difficulty is None else looked.difficulty[i]
    known = difficulty is not None and np.isfinite(difficulty)
    return [
        looked.ids[i],
        begin,
        sides,
        shown.picture if shown else None,
        [] if shown is None or shown.picture else drawn(shown.texts, looked.labels[i]),
        [numbers[name] for name in looked.labels[i]],
        float(f"{difficulty:.4g}") if known else None,
        [_role(voice, i, numbers, len(looked.classes)) for voice in looked.voices.values()],
    ]


def _role(voice: Voice, i: int, numbers: dict[str, int], classes: int) -> list[Any]:
    """What a role answered: over seeds, and each seed; probabilities in thousandths."""
    sure, moved = (round(1000 * float(x[i])) for x in (voice.sure, voice.moved))
    over = [numbers[voice.name[i]], int(voice.is_right[i]), sure, moved]
    answers = [numbers[name] for name in voice.names[:, i].tolist()]
    if voice.truth is None:
        rights = voice.right[:, i].astype(int).tolist()
        return [*over, [], answers, rights, _thousandths(voice.moves[:, i])]
    truths = _thousandths(voice.truth[:, i])
    if classes == 2:
        return [*over, truths, answers]
    return [
        *over,
        truths,
        answers,
        _thousandths(voice.sures[:, i]),
        _thousandths(voice.moves[:, i]),
    ]


def _thousandths(numbers: np.ndarray) -> list[int]:
    """Numbers from 0 to 1 as a page has them."""
    return np.rint(1000 * numbers).astype(int).tolist()


EXAMPLES = Part("Test examples, one by one", "Examples", _write)
