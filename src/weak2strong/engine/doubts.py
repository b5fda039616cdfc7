"""What a step that is done gives reason to doubt: said before the steps that need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import WRITTEN, Predictions
from weak2strong.protocol import stages
from weak2strong.protocol.concerns import (
    LESS_THAN_SPELLING,
    concerns,
    hardly_learned,
    near_noise,
)
from weak2strong.protocol.learned import Spread
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import MissingError, TaskRun
from weak2strong.tasks.kinds import true_labels

BLOCKS = 200
"""Parts of the groups of the test examples, each left out once."""


def doubts(step: Step, task_run: TaskRun) -> tuple[str, ...]:
    """Sentences on a step that was just done.

    On supervisors and ceilings when they are there; on weak labels with the supervisor, or, where
    they come from a file, with the baseline of n-grams, which is made before students; on students
    those of their own finetunings.
    """
    task_run = task_run.of_seed(step.seed)
    if step.kind == "student":
        said = hardly_learned(x for x in task_run.learned if x.method)
    else:
        said = concerns(task_run.learned)
    said = [concern.text for concern in said]
    if step.kind == "supervisor":
        said += _less_than_spelling(task_run, step.seed or 0)
    elif step.kind == "ngrams" and task_run.config.given_labels:
        said += [*_near_noise(task_run), *_less_than_spelling(task_run, 0)]
    return tuple(said)


def _near_noise(task_run: TaskRun) -> list[str]:
    """Of weak labels from a file, which are the same for every seed."""
    labels = stages.weak_labels(task_run, 0)["strong_train"]
    if labels.kind in WRITTEN:
        return []
    margins = dict.fromkeys(range(task_run.config.seeds), Spread.of(labels.values).margin)
    return [concern.text for concern in near_noise(task_run.task.name, margins)]


def _less_than_spelling(task_run: TaskRun, seed: int) -> Iterator[str]:
    """Where the baseline of n-grams is clearly better than the supervisor on the test examples."""
    # The store alone, and without a mark in what the step used.
    stored = replace(task_run, compute=False, used=[], learned=[])
    try:
        baseline, floor = stages.ngrams(stored), stages.weak_labels(stored, seed)["test"]
    except MissingError:
        return
    scores, low, high = difference(task_run, baseline, floor)
    if low > 0:
        who = (
            "the weak labels" if task_run.config.given_labels else f"the supervisor of seed {seed}"
        )
        yield (
            f"{task_run.task.name}: character n-grams with ground truth score {scores[0]:.3f} on "
            f"the test examples, {who} {scores[1]:.3f} (95% interval of the difference: {low:.3f} "
            f"to {high:.3f}): {LESS_THAN_SPELLING}."
        )


def difference(
    task_run: TaskRun, first: Predictions, second: Predictions
) -> tuple[tuple[float, float], float, float]:
    """The scores of two models on the test examples, and the ends of their difference's interval.

    The interval covers other test examples alone: a jackknife over blocks of their groups, with the
    quantile 2 of about as many degrees of freedom.
    """
    test = task_run.splits.test
    ids, kind = [e.item.id for e in test], task_run.task.kind
    score, labels = metric(kind, task_run.config.metric), true_labels(kind, test)
    groups = {group: i for i, group in enumerate(sorted({e.item.group for e in test}))}
    block = np.array([groups[e.item.group] % BLOCKS for e in test])
    blocks = min(BLOCKS, len(groups))
    kept = (block[None] != np.arange(blocks)[:, None]).astype(float)
    answers = [p.at(ids) for p in (first, second)]
    one, other = (float(score(values, labels)) for values in answers)
    without = score(answers[0], labels, kept) - score(answers[1], labels, kept)
    error = np.sqrt((blocks - 1) / blocks * np.sum((without - without.mean()) ** 2))
    return (one, other), one - other - 2 * error, one - other + 2 * error
