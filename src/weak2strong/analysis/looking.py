"""Which test examples of a run a reader asked to see, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.looked import SORTS, Looked, Voice, looked_at
from weak2strong.analysis.where import read_where
from weak2strong.engine.examples import Shown, read_again
from weak2strong.ground.errors import UserError, unknown_name

if TYPE_CHECKING:
    from weak2strong.analysis.finished import FinishedRun


@dataclass(frozen=True)
class Wish:
    """What a reader asked for.

    Attributes:
        where: a condition (see `weak2strong.analysis.where`); all examples where it is empty.
        method: whose students are meant; the first one of the run if empty.
        tasks: names; all of the run where there are none.
        search: words that all have to be in the texts, in any case.
        sort: one of `SORTS`.
        seed: one seed; all of them if None.
        limit: the most examples; all of them if None.
    """

    where: str = ""
    method: str = ""
    tasks: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    sort: str = SORTS[0]
    seed: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Seen:
    """One example, and what there is to see of it.

    Attributes:
        among: the examples of its task.
        at: its position among them.
        shown: its texts and picture; None where they are neither kept nor found again.
    """

    among: Looked
    at: int
    shown: Shown | None


@dataclass(frozen=True)
class Found:
    """The examples that were asked for.

    Attributes:
        run: the run.
        method: whose students are meant.
        looked: the examples of the tasks that were looked at.
        examples: those that are shown, in their order.
        matched: how many there are without a limit.
        lacking: by task why texts are not there; empty where all are.
    """

    run: FinishedRun
    method: str
    looked: Sequence[Looked]
    examples: Sequence[Seen]
    matched: int
    lacking: Mapping[str, str]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row an example, of raw values, as ``w2s examples --json`` has them (docs/json.md)."""
        return [_row(seen, self.method) for seen in self.examples]


def look(run: FinishedRun, wish: Wish) -> Found:
    """The test examples of a run that were asked for.

    Raises:
        UserError: for a name or a number that cannot be right.
    """
    method = wish.method or run.config.methods[0]
    if method not in run.config.methods:
        raise unknown_name("method of this run", method, run.config.methods)
    if wish.limit is not None and wish.limit < 1:
        raise UserError(f"--limit is a number of examples, at least 1, not {wish.limit}.")
    names = [name for (name,) in run.predictions.select("task").unique(maintain_order=True).rows()]
    for name in wish.tasks:
        if name not in names:
            raise unknown_name("task of this run", name, names)
    holds = read_where(wish.where) if wish.where.strip() else None
    looked = [looked_at(run, name, wish.seed) for name in wish.tasks or names]
    numbered = list[tuple[float, Looked, int]]()
    for one in looked:
        numbers = one.sorted_by(method, wish.sort)
        numbered += [(numbers[i], one, i) for i in _positions(one, holds, method)]
    # What is not known comes last; equal ones stay in the order of tasks and ids.
    numbered.sort(key=lambda found: np.inf if np.isnan(found[0]) else -found[0])
    chosen = [(one, i) for _, one, i in numbered]
    texts, lacking = dict[tuple[str, str], Shown](), dict[str, str]()
    if wish.search:
        texts, lacking = _texts(run, chosen)
        wanted = [word.casefold() for text in wish.search for word in text.split()]
        chosen = [
            (one, i)
            for one, i in chosen
            if (shown := texts.get((one.task, one.ids[i])))
            and all(word in " ".join(shown.texts).casefold() for word in wanted)
        ]
    matched, chosen = len(chosen), chosen[: wish.limit]
    if not wish.search:
        texts, lacking = _texts(run, chosen)
    seen = [Seen(one, i, texts.get((one.task, one.ids[i]))) for one, i in chosen]
    return Found(run, method, looked, seen, matched, lacking)


def _positions(looked: Looked, holds: Any, method: str) -> Iterator[int]:
    """Where the examples stand of which a condition holds."""
    if holds is None:
        return iter(range(len(looked.ids)))
    return iter(np.flatnonzero(holds(looked, method)).tolist())


def _texts(
    run: FinishedRun, chosen: Sequence[tuple[Looked, int]]
) -> tuple[dict[tuple[str, str], Shown], dict[str, str]]:
    """What there is to see of some examples, and why there is nothing of others, by task.

    What the run did not keep is read again from the data of its study.
    """
    found, lacking = dict[tuple[str, str], Shown](), dict[str, str]()
    missing = dict[str, dict[str, str | None]]()
    for one, i in chosen:
        id = one.ids[i]
        if id in one.kept:
            found[one.task, id] = one.kept[id]
        else:
            missing.setdefault(one.task, {})[id] = one.digests.get(id)
    for task, wanted in missing.items():
        try:
            again = read_again(run.config, task, wanted)
        except UserError as e:
            lacking[task] = str(e)
            continue
        found |= {(task, id): shown for id, shown in again.items()}
        if len(again) < len(wanted):
            lacking[task] = "the data have changed since they were answered"
    return found, lacking


def _row(seen: Seen, method: str) -> dict[str, Any]:
    """One example as raw values."""
    one, i = seen.among, seen.at
    difficulty = None if one.difficulty is None else float(one.difficulty[i])
    return {
        "task": one.task,
        "id": one.ids[i],
        "texts": None if seen.shown is None else list(seen.shown.texts),
        "truth": list(one.labels[i]),
        "difficulty": difficulty,
        "method": method,
        "change": float(one.students[method].moved[i]),
        "supervisor": _said(one.weak, i),
        "students": {name: _said(voice, i) for name, voice in one.students.items()},
        "ceiling": _said(one.ceiling, i),
    }


def _said(voice: Voice, i: int) -> dict[str, Any]:
    """What one role answered to an example: over seeds, and each seed."""
    truth = None if voice.truth is None else voice.truth[:, i]
    return {
        "answer": voice.name[i],
        "right": bool(voice.is_right[i]),
        "confidence": float(voice.sure[i]),
        "truth_probability": None if truth is None else float(truth.mean()),
        "change": float(voice.moved[i]),
        "answers_by_seed": voice.names[:, i].tolist(),
        "right_by_seed": voice.right[:, i].tolist(),
        "truth_probability_by_seed": None if truth is None else truth.tolist(),
    }
