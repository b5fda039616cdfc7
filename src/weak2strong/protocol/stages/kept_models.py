"""Which finetuning made the model of a supervisor, a ceiling or a student, and where it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from weak2strong.ground.predictions import Predictions
from weak2strong.losses import Loss
from weak2strong.methods.reference import find_method
from weak2strong.protocol.stages.ceiling import ceiling_finetuning
from weak2strong.protocol.stages.finetune import finetune
from weak2strong.protocol.stages.finetuning import Finetuning
from weak2strong.protocol.stages.keeping import MODEL, kept
from weak2strong.protocol.stages.labels import student_labels, student_task_run, weak_labels
from weak2strong.protocol.stages.rates import at_rates
from weak2strong.protocol.stages.students import StudentContext, student
from weak2strong.protocol.stages.supervisor import supervisor_finetuning
from weak2strong.protocol.task_run import TaskRun


def kept_model(task_run: TaskRun, role: str, seed: int, method: str | None = None) -> Path | None:
    """The folder of a kept model in the store; it is trained once more where it was not kept.

    Args:
        task_run: of the task, of the seed.
        role: ``supervisor``, ``ceiling`` or ``student``.
        seed: of the cell.
        method: of a student; of a ceiling the step by which it reads texts first.

    Returns:
        None for a student that is no one finetuned model, such as one of a probe.
    """
    finetuning = _finetuning(replace(task_run, learned=[], keeps=role), role, seed, method)
    return None if finetuning is None else kept(finetuning) / MODEL


def _finetuning(task_run: TaskRun, role: str, seed: int, method: str | None) -> Finetuning | None:
    if role == "supervisor":
        return supervisor_finetuning(task_run, seed)
    if role == "ceiling":
        return ceiling_finetuning(task_run, seed, method)
    answers = student(task_run, method or "", seed)
    if not task_run.learned:
        # Its method finetunes nothing.
        return None
    made = _made(task_run, method or "", seed)
    return next((one for one, given in reversed(made) if _same(given, answers)), None)


def _made(
    task_run: TaskRun, method: str, seed: int
) -> list[tuple[Finetuning, Mapping[str, Predictions]]]:
    """The finetunings of a student that is in the store, and their answers."""
    trainer, by_split = find_method(method), weak_labels(task_run, seed)
    task_run = at_rates(task_run, "strong")
    if "supervisor" in trainer.needs:
        task_run = at_rates(task_run, "weak")
    task_run, labels = student_task_run(task_run, by_split), student_labels(task_run, by_split)
    context = _Noting(task_run, trainer, seed, task_run.config.strong, labels)
    trainer.run(context)
    return context.made


def _same(one: Mapping[str, Predictions], other: Mapping[str, Predictions]) -> bool:
    """Whether the answers to all that both answer are the same to the bit."""
    return all(np.array_equal(one[s].at(given.ids), given.values) for s, given in other.items())


@dataclass(frozen=True)
class _Noting(StudentContext):
    """A context that notes every finetuning of the student model."""

    made: list[tuple[Finetuning, Mapping[str, Predictions]]] = field(default_factory=list)

    def finetune(
        self,
        labels: Predictions,
        loss: Loss | str = "cross-entropy",
        *,
        model: str | None = None,
        fresh: int = 0,
    ) -> Mapping[str, Predictions]:
        """Finetune, or read it from the store, and note what was finetuned."""
        finetuning = self._finetuning(labels, loss, model, fresh)
        answers = finetune(finetuning)
        if model is None:
            self.made.append((finetuning, answers))
        return answers
