"""The grid of a study as steps: what has to be asked for, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from weak2strong.config.study import StudyConfig
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import readings_of
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.task import Kind

StepKind = Literal["supervisor", "ceiling", "probe", "ngrams", "student", "sweep", "traced"]


@dataclass(frozen=True)
class Step:
    """One thing to ask a task run for; ``needs`` name the steps that should be done before.

    ``method`` is that of a student; of a ceiling the step by which it reads texts first.
    A sweep without a seed is one with ground truth.
    ``evaluations`` are those of a traced student.
    """

    kind: StepKind
    task: str
    seed: int | None = None
    method: str | None = None
    needs: tuple[str, ...] = ()
    sweep: stages.Sweep | None = None
    evaluations: int = 0

    @property
    def name(self) -> str:
        """Unique in a study, and what progress and events call the step."""
        seed = f"seed {self.seed}" if self.seed is not None else None
        about = self.method
        if self.sweep:
            about, seed = self.sweep.probe, seed or "ground truth"
        return " ".join(p for p in (self.task, self.kind, about, seed) if p)


def steps(config: StudyConfig, tasks: Mapping[str, Kind]) -> tuple[Step, ...]:
    """Every step of a study on tasks of these kinds, by name; what others wait for is first."""
    first, students = [], []
    for task, kind in tasks.items():
        for seed in range(config.seeds):
            supervisor = Step("supervisor", task, seed)
            if config.weak_labels is None:
                first.append(supervisor)
            needs = (supervisor.name,) if config.weak_labels is None else ()
            for method in config.methods:
                students.append(Step("student", task, seed, method, needs))
        for reading in (None, *readings_of(config)):
            first.extend(Step("ceiling", task, s, reading) for s in range(config.seeds))
        first.extend([Step("probe", task)] if stages.has_probe(kind) else [])
        first.append(Step("ngrams", task))
    return (*first, *students)


def perform(step: Step, task_run: TaskRun) -> None:
    """Ask the task run for what a step stands for; afterwards the store has it."""
    seed = step.seed or 0
    match step.kind:
        case "supervisor":
            stages.weak_labels(task_run, seed)
        case "ceiling":
            stages.ceiling(task_run, seed, step.method)
        case "probe":
            stages.probe_ceiling(task_run)
        case "ngrams":
            stages.ngrams(task_run)
        case "student":
            stages.student(task_run, step.method or "", seed)
        case "sweep" if step.sweep:
            stages.sweep(task_run, step.sweep, step.seed)
        case "traced":
            stages.traced_student(task_run, step.method or "", seed, step.evaluations)
