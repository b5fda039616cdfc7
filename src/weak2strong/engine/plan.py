"""What a study would do, and what that takes: nothing is trained or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.assumed import Assumed, assumed
from weak2strong.engine.costs import answer_bytes
from weak2strong.engine.estimates import Estimate, estimates
from weak2strong.engine.measured import measured
from weak2strong.engine.places import gpus_of, threads_of
from weak2strong.engine.planned import Stage, Stages
from weak2strong.engine.sizes import TaskSize, has_own_elsewhere, task_sizes, tasks_here
from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import offline
from weak2strong.models.given import is_given
from weak2strong.models.guess import Guessed, guess
from weak2strong.models.loaded import best_device
from weak2strong.models.needs import usable_bytes
from weak2strong.protocol.choice import Amount, Choice, Role, Weight, choices
from weak2strong.protocol.needs import decodes, provided
from weak2strong.protocol.pair import check_items
from weak2strong.protocol.resolve import checked, given_by, splits_of
from weak2strong.protocol.usual import with_usual


@dataclass(frozen=True)
class StudyPlan:
    """What a study would do and take; see `Stage` for the units.

    Attributes:
        weak: what makes weak labels, as tables call it.
        strong: the model of students and ceiling.
        methods: names.
        seeds: how many.
        tasks: what each of them holds.
        stages: in the order in which they are made.
        models: what is known of them; the supervisor's only if there is a supervisor.
        trainings: of supervisor and student, as far as they are trained.
        rates: how their learning rates are chosen.
        device: where it would run.
        usable: bytes of its memory that a training may fill.
        disk: bytes of stored predictions, store and run folder, over the tasks that are known.
        measured: how many stages of any kind the store has that were made on this device.
        steps: what an engine would schedule.
        gpus_per_fit: how many GPUs a worker has, by the devices of this machine.
        said: why this pair was taken, where the study names none and its texts are the user's own.
        assumed: a GPU that is not here, and what it would hold.
    """

    weak: str
    strong: str
    methods: tuple[str, ...]
    seeds: int
    tasks: tuple[TaskSize, ...]
    stages: tuple[Stage, ...]
    models: tuple[Guessed, ...]
    trainings: Mapping[Role, Training]
    rates: tuple[Choice, ...]
    device: str
    usable: float
    disk: int | None
    measured: int
    steps: tuple[Estimate, ...]
    gpus_per_fit: int
    said: str = ""
    assumed: Assumed | None = None

    @property
    def cells(self) -> int:
        """Tasks times methods times seeds."""
        return len(self.tasks) * len(self.methods) * self.seeds

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the tasks whose sizes are not known."""
        return tuple(task.name for task in self.tasks if not task.is_known)


def plan_study(
    config: StudyConfig, store: Path | None = None, assume: str | None = None
) -> StudyPlan:
    """Lay out a study without a network, and without weights.

    Args:
        config: the study, not resolved.
        store: root of the store, whose stages tell how fast this device is; the user's if None.
        assume: the name of a GPU, of which is told what it would hold.

    Raises:
        UserError: for names, numbers and local data that cannot be right.
    """
    references = checked(config)
    here = tasks_here(config, references)
    away = has_own_elsewhere(references, here)
    paired = with_usual(config, here, splits_of, ask_hub=False, away=away)
    config = paired.config
    device = best_device()
    weak, strong = guess(config.weak, device), guess(config.strong, device)
    tasks = tuple(task_sizes(config, references))
    check_items((config.weak, config.strong, *config.supervisors), here)
    kinds = {task.name: (task.kind, task.classes) for task in tasks}
    methods, _ = provided(config, kinds, _may_decode, given_by(config, here))
    config = replace(config, methods=methods)
    known = [task for task in tasks if task.is_known]
    speeds = measured(store, threads_of(config))
    chosen = choices(
        config,
        lambda: {
            "weak": Weight(weak.multiplied, weak.adaptation),
            "strong": Weight(strong.multiplied, strong.adaptation),
        },
        lambda: [
            Amount(t.kind, t.examples["weak_train"], t.examples["strong_train"]) for t in tasks
        ],
    )
    learnt = tuple(c for c in chosen if c.role == "strong" or not config.given_labels)
    costs = tuple(Stages(config, tasks, weak, strong, speeds, chosen).all())
    stages = tuple(stage for stage, _ in costs)
    return StudyPlan(
        weak=config.weak_name,
        strong=config.strong.name,
        methods=methods,
        seeds=config.seeds,
        tasks=tasks,
        stages=stages,
        models=(strong,) if config.given_labels else (weak, strong),
        trainings={c.role: getattr(config, f"{c.role}_training") for c in learnt},
        rates=learnt,
        device=device.type,
        usable=usable_bytes(device),
        disk=_disk(config.seeds * (2 + len(methods)), stages, known) if known else None,
        measured=speeds.count,
        steps=tuple(estimates(config, tasks, chosen, costs)),
        gpus_per_fit=gpus_of(config),
        said=paired.said,
        assumed=_assumed(assume, config, tasks) if assume else None,
    )


def _assumed(name: str, config: StudyConfig, tasks: Sequence[TaskSize]) -> Assumed:
    """What a GPU would hold of the trainings of the study; texts are as long as they are on
    average, and the longest of their tasks count."""
    models = (config.strong,) if config.given_labels else (config.weak, config.strong)
    lengths = [n for task in tasks for n in task.tokens.values()]
    return assumed(name, tuple(m for m in models if not is_given(m)), max(lengths, default=None))


def _disk(roles: int, stages: Sequence[Stage], known: Sequence[TaskSize]) -> int:
    """Bytes of what stages leave in the store, and of test answers in the run folder.

    In the run folder, answers of the two checks come on top of those of the roles.
    """
    run = (2 + roles) * sum(answer_bytes(task, "test") for task in known)
    return sum(stage.stored for stage in stages) + run


def _may_decode(model: ModelSpec) -> bool:
    """Whether a model is a decoder, as far as that can be told without a network."""
    try:
        with offline():
            return decodes(model)
    except UserError:
        return True
