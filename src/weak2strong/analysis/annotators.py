"""How several annotators agree with each other and with ground truth, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from weak2strong.analysis.estimates import SHARE, columns, mean_estimate
from weak2strong.analysis.intervals import group_weights
from weak2strong.analysis.tested import REPLICATES
from weak2strong.ground.table import Document, Table, count, estimate, number, words
from weak2strong.ground.votes import NOTHING, RULES, alpha, dawid_skene, kappa
from weak2strong.tasks.annotators import check_annotated, votes_of
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.task import Task

NOTES = (
    "accuracy: share of an annotator's classes that are ground truth, over the examples that it "
    "labels; estimated: the same as Dawid and Skene estimate it without ground truth, from where "
    "annotators disagree. kappa: Cohen's, the mean over the others; 0 is agreement by chance.",
    "mean, majority, dawid-skene: what --weak-label-rule makes of all of them; accuracy of the "
    "most probable class.",
)


def annotators_document(task: Task, names: Sequence[str]) -> Document:
    """Tables of the annotators of a task, of pairs of them, and of the rules.

    Args:
        task: with classes of annotators.
        names: of their columns.

    Raises:
        UserError: where the task has none.
    """
    check_annotated(task)
    examples, classes = task.load(), len(task.classes)
    votes = votes_of(task, examples)
    truth = np.array([int(e.label) for e in examples])
    groups = np.array([e.item.group for e in examples])
    weights = group_weights(groups, REPLICATES, np.random.default_rng([0, 0])).astype(float)
    right = [_right(said, truth) for said in votes.T]
    made = {rule: of(votes, classes).argmax(axis=1) for rule, of in RULES.items()}
    right += [_right(said, truth) for said in made.values()]
    several = len(names) > 1
    rows: list[dict[str, Any]] = [
        _about(name, votes[:, i], [kappa(votes[:, i], o) for j, o in enumerate(votes.T) if j != i])
        for i, name in enumerate(names)
    ]
    if several:
        for row, value in zip(rows, dawid_skene(votes, classes).accuracies, strict=True):
            row["estimated"] = float(value)
        rows += [{"who": rule, "labelled": len(votes)} for rule in RULES]
    count_of_groups = len(np.unique(groups))
    for row, (hits, among) in zip(rows, right, strict=False):
        found = mean_estimate(hits, weights, count_of_groups, among, SHARE)
        row |= columns("accuracy", found)
    tables = [_annotators(task, rows, several)]
    if several:
        tables.append(_pairs(votes, names))
    overall = alpha(votes)
    facts = {"alpha": None if np.isnan(overall) else overall}
    said = f"Krippendorff's alpha of all together: {overall:.3f} (1: all agree; 0: by chance)."
    return Document(tables, facts, _as_read(task), [said, *NOTES] if several else NOTES[:1])


def _as_read(task: Task) -> list[str]:
    """How data of a user's were read, and which rows were left out."""
    if not isinstance(task, FileTask):
        return []
    sentences = [sentence for account in task.accounts for sentence in account.sentences()]
    return [*sentences, *task.cleaning.sentences()]


def _right(said: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each class is right, and which examples have one, ``(1, n)`` each."""
    return (said == truth)[None].astype(float), (said != NOTHING)[None]


def _about(name: str, said: np.ndarray, kappas: Sequence[float]) -> dict[str, Any]:
    known = [k for k in kappas if not np.isnan(k)]
    labelled = int((said != NOTHING).sum())
    return {"who": name, "labelled": labelled, "kappa": float(np.mean(known)) if known else None}


def _annotators(task: Task, rows: Sequence[dict[str, Any]], several: bool) -> Table:
    of = [words("who", ""), count("labelled"), estimate("accuracy", "accuracy [95%]")]
    of += [number("estimated"), number("kappa")] if several else []
    title = f"{task.name}: annotators against ground truth, {len(task.classes)} classes"
    gaps = [i for i, row in enumerate(rows) if row["who"] in RULES][:1]
    return Table("annotators", title, of, rows, gaps=gaps)


def _pairs(votes: np.ndarray, names: Sequence[str]) -> Table:
    """How each two annotators agree on what both label."""

    def rows() -> Iterator[dict[str, Any]]:
        for i, j in combinations(range(len(names)), 2):
            one, other = votes[:, i], votes[:, j]
            both = (one != NOTHING) & (other != NOTHING)
            value = kappa(one, other)
            yield {
                "first": names[i],
                "second": names[j],
                "both": int(both.sum()),
                "agreement": float((one == other)[both].mean()) if both.any() else None,
                "kappa": None if np.isnan(value) else value,
            }

    of = [words("first"), words("second"), count("both"), number("agreement"), number("kappa")]
    return Table("pairs", "Pairs of annotators, on what both label", of, list(rows()))
