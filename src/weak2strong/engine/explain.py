"""Why a study would make stages anew: the nearest stored stage of each, and what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weak2strong.config.engine import EngineOptions
from weak2strong.config.study import StudyConfig
from weak2strong.engine.engines import places_of
from weak2strong.engine.places import Plan
from weak2strong.ground.processes import set_threads
from weak2strong.ground.store import Store, canonical
from weak2strong.ground.store.differences import Difference, differences, nearest
from weak2strong.models.gpus import fits_on
from weak2strong.protocol.resolve import resolve, settle
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.steps import Step, perform, steps
from weak2strong.protocol.task_run import MissingError, TaskRun
from weak2strong.tasks.task import Inputs, Kind


@dataclass(frozen=True)
class Missing:
    """A stage that the store does not have.

    Attributes:
        stage: its name.
        key: that it would have.
        steps: names of the steps that come to it first.
        nearest: the key of the stored stage with the fewest other inputs; None if there is none.
        differences: the inputs of that one, and those of the stage that is missing.
    """

    stage: str
    key: str
    steps: tuple[str, ...]
    nearest: str | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Explained:
    """What a study finds in the store.

    Attributes:
        root: of the store.
        found: names of the steps that it has whole.
        missing: the first stage that each other step misses. What comes after it cannot be looked
            up before it is made.
    """

    root: Path
    found: tuple[str, ...]
    missing: tuple[Missing, ...]


def explain_study(
    config: StudyConfig,
    root: Path | None = None,
    engine: EngineOptions | None = None,
    places: tuple[Runtime, ...] = (),
) -> Explained:
    """Look up every step of a study, and compare what is missing with what is there.

    Args:
        config: the study; it is resolved and checked first.
        root: of the store; the user's if None.
        engine: what the user wants of it.
        places: where the stages would be made; by default where the engine makes them.

    Raises:
        UserError: for bad input.
    """
    store = Store.there(root)
    config = settle(resolve(config).config)
    plan = Plan.of(config, engine)
    if plan.ray is None:
        set_threads(plan.threads)  # which are in the keys
    places, gpus = (places, None) if places else places_of(plan)
    task_runs = TaskRun.all_of(config, store)
    for task_run in task_runs.values():
        task_run.places = places
    kinds: dict[str, Kind] = {name: task_run.task.kind for name, task_run in task_runs.items()}
    inputs: dict[str, Inputs] = {name: run.task.inputs for name, run in task_runs.items()}
    found, missing = [], dict[str, tuple[MissingError, list[str]]]()
    with fits_on(gpus):
        for step in steps(config, kinds, inputs):
            error = _look_up(step, task_runs)
            if error is None:
                found.append(step.name)
            else:
                missing.setdefault(error.key, (error, []))[1].append(step.name)
    entries = store.entries() if missing else []
    explained = []
    for error, of_steps in missing.values():
        spec = json.loads(canonical(error.spec))
        near = nearest(spec, [entry for entry in entries if entry.stage == error.stage])
        differ = ()
        if near:
            theirs = near.manifest["spec"]
            codes = (store.code(theirs["code"]), error.code.pieces)
            differ = tuple(differences(theirs, spec, codes))
        explained.append(
            Missing(error.stage, error.key, tuple(of_steps), near and near.key, differ)
        )
    return Explained(store.root, tuple(found), tuple(explained))


def _look_up(step: Step, task_runs: Mapping[str, TaskRun]) -> MissingError | None:
    """The first stage that a step misses; None where the store has all of them."""
    task_run = task_runs[step.task]
    task_run.compute = False
    try:
        perform(step, task_run)
    except MissingError as error:
        return error
    return None
