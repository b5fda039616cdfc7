"""Single test examples and all that was answered to them, as a reader looks at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.analysis.answers import Answers
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.predictions import WRITTEN, texts
from weak2strong.tasks.answers import comparable, is_right

if TYPE_CHECKING:
    from weak2strong.analysis.finished import FinishedRun
    from weak2strong.engine.examples import Shown

SORTS = ("change", "confidence", "difficulty")
"""By what examples are sorted, the largest first: how far students moved from their supervisors,
how probable they take their answer for, how hard the example is."""

NOTHING = "(nothing)"
"""Stands for an empty text."""


@dataclass(frozen=True)
class Voice:
    """What supervisors, ceilings, or the students of one method answered to n examples.

    An answer over seeds is the class of the highest mean probability; of texts, the one that the
    most seeds gave, of the first of these seeds where several are as frequent.

    Attributes:
        said: what each seed said, as answers are compared (see `weak2strong.tasks.answers`),
            ``(S, n)``: indices of classes, or texts.
        names: the same in words, ``(S, n)``.
        right: whether they are right, ``(S, n)``.
        truth: the probabilities of the true class, ``(S, n)``; None of texts.
        says: what is said over seeds, ``(n,)``.
        name: the same in words, ``(n,)``.
        is_right: whether these are right, ``(n,)``.
        sure: the probability of the answer over seeds; of texts, the share of seeds that gave it.
        sures: the probability of the answer of each seed, ``(S, n)``; of texts, 1.
        moves: how far each seed is from its supervisor, ``(S, n)``: the total variation distance
            (with two classes, the difference of the probabilities); of texts, whether it says
            something else.
    """

    said: np.ndarray
    names: np.ndarray
    right: np.ndarray
    truth: np.ndarray | None
    says: np.ndarray
    name: np.ndarray
    is_right: np.ndarray
    sure: np.ndarray
    sures: np.ndarray
    moves: np.ndarray

    @cached_property
    def moved(self) -> np.ndarray:
        """How far seeds are from their supervisors, mean over seeds, ``(n,)``."""
        return self.moves.mean(axis=0)


@dataclass(frozen=True, eq=False)
class Looked:
    """The n test examples of a task of a finished run.

    Attributes:
        task: its name.
        seeds: the seeds that are looked at.
        ids: of the examples, in their order, ``(n,)``.
        classes: names of the classes; none of a task that is answered in words.
        labels: ground truth in words, all that counts as right, a tuple an example.
        weak: the answers of the supervisors.
        ceiling: those of the ceilings.
        students: those of the students of each method.
        difficulty: of each example, ``(n,)``, NaN where it is not known; None where of none.
        kept: what there is to see of an example, by id; not of all where a run had no room.
        digests: of the contents, by id, of examples that are not kept; None where not known.
    """

    task: str
    seeds: tuple[int, ...]
    ids: np.ndarray
    classes: tuple[str, ...]
    labels: Sequence[tuple[str, ...]]
    weak: Voice
    ceiling: Voice
    students: Mapping[str, Voice]
    difficulty: np.ndarray | None
    kept: Mapping[str, Shown]
    digests: Mapping[str, str | None]

    @cached_property
    def voices(self) -> dict[str, Voice]:
        """All answers by the words of tables: supervisor, the methods, ceiling."""
        return {"supervisor": self.weak, **self.students, "ceiling": self.ceiling}

    def sorted_by(self, method: str, sort: str) -> np.ndarray:
        """The number of each example that one of `SORTS` goes by, ``(n,)``.

        Raises:
            UserError: for another sort, or where the difficulty of no example is known.
        """
        if sort not in SORTS:
            raise unknown_name("sort of examples", sort, SORTS)
        student = self.students[method]
        numbers = {"change": student.moved, "confidence": student.sure}.get(sort, self.difficulty)
        if numbers is None:
            raise UserError(
                f"Task {self.task} does not say how difficult its examples are: sort by change or "
                "by confidence."
            )
        return numbers


def looked_at(run: FinishedRun, task: str, seed: int | None = None) -> Looked:
    """All test examples of a task.

    Args:
        run: the run.
        task: the name of one of its tasks.
        seed: the seed to look at; all of them if None.

    Raises:
        UserError: for a seed that the run does not have.
    """
    seeds = tuple(range(run.config.seeds))
    if seed is not None and seed not in seeds:
        raise UserError(f"There is no seed {seed} in {run.folder}: its seeds are 0 to {seeds[-1]}.")
    rows = run.predictions.filter(task=task)
    answers = Answers(rows, run.config.seeds)
    chosen = slice(None) if seed is None else slice(seed, seed + 1)
    weak = answers.of("floor")[chosen]
    classes = next((t["classes"] for t in run.tasks if t["name"] == task), ())
    if not classes and answers.kind not in WRITTEN:
        # Folders of early releases do not name them.
        classes = tuple(map(str, range(weak.shape[-1])))

    def voice(role: str, method: str = "") -> Voice:
        values = answers.of(role, method)[chosen]
        return _voice(values, weak, answers, classes, run.config.metric)

    once = rows.filter(role="floor", seed=0).sort("id")
    difficulty = None
    if "difficulty" in once.columns and once["difficulty"].count():
        difficulty = once["difficulty"].cast(float).fill_null(float("nan")).to_numpy()
    kept, digests = _kept(run, task)
    return Looked(
        task=task,
        seeds=seeds[chosen],
        ids=answers.ids,
        classes=() if answers.kind in WRITTEN else tuple(classes),
        labels=[_words(label, classes) for label in answers.labels],
        weak=voice("floor"),
        ceiling=voice("ceiling"),
        students={method: voice("student", method) for method in run.config.methods},
        difficulty=difficulty,
        kept=kept,
        digests=digests,
    )


def _kept(run: FinishedRun, task: str) -> tuple[dict[str, Shown], dict[str, str | None]]:
    """What a run kept of the examples of a task, and the digests of what it did not keep."""
    from weak2strong.engine.examples import Shown

    if run.examples is None:
        return {}, {}
    found, digests = dict[str, Shown](), dict[str, str | None]()
    for row in run.examples.filter(task=task).iter_rows(named=True):
        if row["texts"] is None:
            digests[row["id"]] = row.get("digest")
        else:
            digest, picture = row.get("digest"), row.get("picture")
            found[row["id"]] = Shown(tuple(row["texts"]), picture, digest)
    return found, digests


def _voice(
    values: np.ndarray, weak: np.ndarray, answers: Answers, classes: Sequence[str], on: str | None
) -> Voice:
    """The answers of one role, ``(S, n, k)`` or texts ``(S, n)``, beside those of supervisors."""
    kind, labels = answers.kind, answers.labels
    right, said = is_right(values, labels, kind, on), comparable(values, kind, on)
    each = np.arange(len(labels))
    if kind in WRITTEN:
        common = np.array([_most_frequent(column) for column in said.T], dtype=int)
        return Voice(
            said=said,
            names=_named(values.ravel(), classes).reshape(values.shape),
            right=right,
            truth=None,
            says=said[common, each],
            name=_named(values[common, each], classes),
            is_right=right[common, each],
            sure=(said == said[common, each]).mean(axis=0),
            sures=np.ones(said.shape),
            moves=said != comparable(weak, kind, on),
        )
    mean = values.mean(axis=0)
    over = mean.argmax(axis=1)
    return Voice(
        said=said,
        names=_named(said.ravel(), classes).reshape(said.shape),
        right=right,
        truth=values[:, each, labels],
        says=over,
        name=_named(over, classes),
        is_right=over == labels,
        sure=mean[each, over],
        sures=values.max(axis=-1),
        moves=np.abs(values - weak).sum(axis=-1) / 2,
    )


def _most_frequent(column: np.ndarray) -> int:
    """The first seed that gave the answer that the most seeds gave."""
    return list(column).index(Counter(column).most_common(1)[0][0])


def _named(values: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Answers in words, ``(n,)``."""
    return texts(_words(value, classes)[0] for value in values)


def _words(answer: int | str | Sequence[str], classes: Sequence[str]) -> tuple[str, ...]:
    """The name of a class, a text that was written, or the texts of which any counts."""
    if isinstance(answer, str):
        return (answer.strip() or NOTHING,)
    if isinstance(answer, Sequence):
        return tuple(text.strip() or NOTHING for text in answer)
    return (str(classes[answer]) if answer < len(classes) else str(answer),)
