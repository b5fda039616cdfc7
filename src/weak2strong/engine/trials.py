"""Every model of a study, tried out before the first step: what cannot work is said at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import WRITTEN
from weak2strong.methods.reference import find_part, parts_of
from weak2strong.models.folders import shipped
from weak2strong.models.given import is_given
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun
from weak2strong.protocol.trial import Trial, Use
from weak2strong.protocol.trials import try_model


def try_models(todo: Sequence[Step], task_runs: Mapping[str, TaskRun]) -> None:
    """Try out each model that steps use, in each of the ways in which they use it.

    A small model is tried as it is. Of a large one the files are looked at, and small models of
    its architecture are tried (see `weak2strong.models.small_folders`), on the CPU. Those that are
    shipped are known to work, and a file of features has nothing to try.

    Args:
        todo: the steps that are not done yet.
        task_runs: by the name of the task.

    Raises:
        UserError: for the first model that cannot be loaded, or be used so.
    """
    known, by_model = shipped(), dict[ModelSpec, list[Trial]]()
    for trial in dict.fromkeys(t for step in todo for t in _trials(step, task_runs[step.task])):
        if trial.model.name not in known and not is_given(trial.model):
            by_model.setdefault(trial.model, []).append(trial)
    # Where a cluster does the steps, its machines have the weights, or fetch them.
    here = not any(task_run.places for task_run in task_runs.values())
    for model, trials in by_model.items():
        about = fingerprint(model)
        new = [trial for trial in trials if (about, trial) not in _PASSED]
        if new:
            try_model(model, new, here)
        _PASSED.update((about, trial) for trial in new)


_PASSED = set[tuple[str, Trial]]()
"""What this process has tried, by the fingerprints of the models."""


def _trials(step: Step, task_run: TaskRun) -> Iterator[Trial]:
    """What a step does with which models."""
    config, task = task_run.config, task_run.task
    weak, strong = (config.weak, *config.supervisors), (config.strong,)

    def each(models: Iterable[ModelSpec], use: Use) -> Iterator[Trial]:
        for model in models:
            # One that is not trained only reads.
            of_model = use if model.is_trained or use != "training" else "activations"
            yield Trial(model, of_model, task.kind, len(task.classes))

    match step.kind:
        case "rates":
            yield from each(strong if step.method == "strong" else weak[:1], "training")
        case "supervisor":
            yield from each(weak[:1], "training")
        case "ceiling":
            yield from each(strong, "reading" if step.method else "training")
        case "probe" | "sweep":
            yield from each(strong, "activations")
        case "traced" | "trusted":
            yield from each(strong, "training")
        case "student":
            yield from each(strong, "training")
            for part in map(find_part, parts_of(step.method or "")):
                if part.reads:
                    yield from each(strong, "reading")
                elif "decoder" in part.needs and task.kind not in WRITTEN:
                    yield from each(strong, "prompting")
                if "intermediates" in part.needs:
                    yield from each(config.intermediates or (), "training")
                if "supervisor" in part.needs:
                    yield from each(weak, "training")
