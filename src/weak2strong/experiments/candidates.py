"""Among which students trusted labels choose, and on which of these labels a model is finetuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from weak2strong.analysis.choosing import Candidate, Candidates
from weak2strong.config.study import StudyConfig
from weak2strong.ground.draws import one_of_each_group
from weak2strong.ground.predictions import Predictions
from weak2strong.protocol import stages
from weak2strong.protocol.choice import ROLES
from weak2strong.protocol.steps import Step, needed_rates, searches_of
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.answers import is_right
from weak2strong.tasks.kinds import true_labels

Pool = Mapping[str, str]
"""The groups of the validation examples whose labels may be trusted, by id."""


def candidate_steps(
    config: StudyConfig, pools: Mapping[str, Pool], evaluations: int, alone: Sequence[int]
) -> list[Step]:
    """Supervisors, ceilings, students to choose among, and models of trusted labels alone.

    Args:
        config: the study.
        pools: by task.
        evaluations: how often a student is looked at on its way.
        alone: on how many trusted labels the strong model is finetuned.
    """
    searches, first, students = list[Step](), list[Step](), list[Step]()
    followed = _followed(config.methods, evaluations)
    for task, pool in pools.items():
        searches.extend(searches_of(config, task))
        weak, strong = (needed_rates(config, task, role) for role in ROLES)
        for seed in range(config.seeds):
            labels = Step("supervisor", task, seed, needs=weak)
            first += [labels] if not config.given_labels else []
            first.append(Step("ceiling", task, seed, needs=strong))
            needs = (labels.name, *strong) if not config.given_labels else strong
            for method in config.methods:
                kind, looks = followed[method]
                students.append(Step(kind, task, seed, method, needs, evaluations=looks))
            drawn = [drawn_labels(pool, seed, n) for n in alone]
            students += [Step("trusted", task, seed, needs=strong, trusted=x) for x in drawn]
    return [*searches, *first, *students]


def candidates_of(
    task_run: TaskRun, pool: Pool, evaluations: int, alone: Sequence[int]
) -> Candidates:
    """The candidates of one task, all of whose stages are in the store; see `candidate_steps`."""
    config, kind, seeds = task_run.config, task_run.task.kind, range(task_run.config.seeds)
    test = sorted(task_run.splits.test, key=lambda e: e.item.id)
    ids = [e.item.id for e in test]
    trusted = [e for e in task_run.splits.validation if e.item.id in pool]
    truth, asked = true_labels(kind, trusted), [e.item.id for e in trusted]
    every = [_students(task_run, seed, evaluations) for seed in seeds]
    right = [
        [
            is_right(answers["validation"].at(asked), truth, kind, config.metric)
            for answers in of_seed.values()
        ]
        for of_seed in every
    ]
    return Candidates(
        names=tuple(every[0]),
        right=np.array(right),
        groups=np.array([pool[id] for id in asked]),
        test=[np.stack([of_seed[n]["test"].at(ids) for of_seed in every]) for n in every[0]],
        labels=true_labels(kind, test),
        test_groups=np.array([e.item.group for e in test]),
        alone={
            n: np.stack(
                [
                    stages.trusted_alone(task_run, s, drawn_labels(pool, s, n))["test"].at(ids)
                    for s in seeds
                ]
            )
            for n in alone
        },
    )


def drawn_labels(pool: Mapping[str, str], seed: int, number: int) -> tuple[str, ...]:
    """The trusted labels that a seed is finetuned on: more labels add to fewer."""
    order = one_of_each_group(np.array(list(pool.values())), np.random.default_rng([seed, 1]))
    ids = list(pool)
    return tuple(ids[i] for i in order[:number])


def _followed(methods: Sequence[str], evaluations: int) -> dict[str, tuple[Any, int]]:
    """The kind of step of each method's students, and how often they are looked at.

    Those of a method that finetunes more than once, or not at all, stand at the end of training.
    """
    # Planning takes torch, which those who only read a folder can do without.
    from weak2strong.engine.stand_in import trial_run

    return {
        method: ("traced", evaluations)
        if evaluations > 1 and len(trial_run(method).fits) == 1
        else ("student", 0)
        for method in methods
    }


def _students(
    task_run: TaskRun, seed: int, evaluations: int
) -> dict[Candidate, Mapping[str, Predictions]]:
    """The answers of every candidate of a seed, the first method's last student first."""
    found = dict[Candidate, Mapping[str, Predictions]]()
    for method, (kind, looks) in _followed(task_run.config.methods, evaluations).items():
        if kind == "student":
            found[Candidate(method)] = stages.student(task_run, method, seed)
            continue
        trace = stages.traced_student(task_run, method, seed, looks)
        points = zip(trace.fractions, trace.evaluations, strict=True)
        found |= {Candidate(method, at): answers for at, answers in reversed(list(points))}
    return found
