"""What each step of a study is expected to take, from what its stages take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from weak2strong.config.study import StudyConfig
from weak2strong.engine.costs import Cost, total
from weak2strong.engine.planned import Stage
from weak2strong.engine.sizes import TaskSize
from weak2strong.protocol.choice import TITLES, Choice
from weak2strong.protocol.steps import Step, steps


@dataclass(frozen=True)
class Estimate:
    """What a step is expected to take where nothing of it is in the store.

    Attributes:
        step: the step.
        model: which it loads; None for none.
        flops: floating-point operations of its model; None where they are not known.
        seconds: on this device, as measured; None where nothing of its kind was.
        gpus: on how many it is.
    """

    step: Step
    model: str | None
    flops: float | None
    seconds: float | None
    gpus: int


def estimates(
    config: StudyConfig,
    tasks: Sequence[TaskSize],
    chosen: Sequence[Choice],
    costs: Sequence[tuple[Stage, Cost]],
) -> Iterator[Estimate]:
    """Every step of a study with what it takes, in the order of a run.

    A finetuning that several methods share counts for the first of them.

    Args:
        config: the study; its methods are chosen.
        tasks: their sizes.
        chosen: how the rates of its models are chosen.
        costs: the kinds of its stages, each with what one of them takes of a task.
    """
    kinds, sizes = {stage.name: (stage, cost) for stage, cost in costs}, {t.name: t for t in tasks}

    @cache
    def taken(step: Step) -> tuple[str | None, float | None, float | None, int]:
        """Model, operations, seconds and GPUs of a step, whatever its needs; a seed says that it is
        the first one of its split."""
        # A plan has no checks where one of its tasks, which may be unknown, has none.
        rows = [kinds[name] for name in _stages_of(step) if name in kinds]
        model = next((stage.model for stage, _ in rows if stage.model), None)
        gpus = max((stage.gpus for stage, _ in rows), default=1)
        task = sizes[step.task]
        if not task.is_known:
            return model, None, None, gpus
        flops = [cost.flops(task) for stage, cost in rows if stage.model]
        return model, total(flops), total([cost.seconds(task) for _, cost in rows]), gpus

    for step in steps(
        _settled(config, chosen),
        {task.name: task.kind for task in tasks},
        {task.name: task.inputs for task in tasks},
    ):
        first = step.seed if step.seed in (0, *config.seeds_of_checks) else None
        yield Estimate(step, *taken(replace(step, seed=first, needs=())))


def _settled(config: StudyConfig, chosen: Sequence[Choice]) -> StudyConfig:
    """The study with some rates wherever no search finds them; the steps hold none of them."""
    names = [f"{choice.role}_training" for choice in chosen if choice.how != "search"]
    return replace(config, **{name: getattr(config, name).with_rates((1.0, 1.0)) for name in names})


def _stages_of(step: Step) -> list[str]:
    """The kinds of stages that a step makes, by their names in a plan.

    Seeds with the same splits share what the first of them makes; others have None in place of it.
    """
    match step.kind:
        case "rates":
            return [f"rates of {TITLES['weak' if step.method == 'weak' else 'strong']}"]
        case "probe":
            return ["activations", "probe"]
        case "supervisor" if step.seed is not None:
            return [f"activations of {TITLES['weak']}", "supervisor"]
    return [" ".join(part for part in (step.kind, step.method) if part)]
