"""The grid of a study as steps, and their order.

A step names a result and holds no settings, so that steps can be listed and counted before all
settings are known (`weak2strong.protocol.resolve.settle` fills in those that a whole study shares).
Settings are read when a step is performed, by the stages that it pulls. So a stage may decide
settings of later stages of its task, as the search for rates does: the function that needs the
rates pulls the search from its task run and goes on with ``replace(task_run, config=...)``
(`weak2strong.protocol.stages.rates`); the keys of the later stages then hold the rates that were
found. So that workers do not wait for each other, the search is a step of its own, which other
steps name among their ``needs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from weak2strong.config.study import StudyConfig
from weak2strong.models.rates import shown_rates
from weak2strong.protocol import stages
from weak2strong.protocol.choice import ROLES, Role, searched_roles
from weak2strong.protocol.resolve import readings_of
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.task import Inputs, Kind

StepKind = Literal[
    "rates", "supervisor", "ceiling", "probe", "ngrams", "student", "sweep", "traced", "trusted"
]


@dataclass(frozen=True)
class Step:
    """One result of a study.

    Attributes:
        kind: of the result.
        task: its name.
        seed: where it has one; of a check, where each seed has a split of its own.
        method: of a student; for a ceiling the step by which it reads texts first; of rates the
            role of the model.
        needs: names of the steps that should be done before.
        sweep: the settings of a sweep's probes.
        truth: whether these learn ground truth.
        evaluations: how many a traced student has.
        trained: settings of a traced student's training that are not those of the study.
        keeps: whether the model is kept that is trained.
        trusted: ids of the validation examples that a model learns whose labels are trusted.
    """

    kind: StepKind
    task: str
    seed: int | None = None
    method: str | None = None
    needs: tuple[str, ...] = ()
    sweep: stages.Sweep | None = None
    truth: bool = False
    evaluations: int = 0
    trained: tuple[tuple[str, Any], ...] = ()
    keeps: bool = False
    trusted: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the step in progress and events, unique in a study."""
        seed = f"seed {self.seed}" if self.seed is not None else None
        about = self.method
        if self.sweep:
            about = f"{self.sweep.probe} ground truth" if self.truth else self.sweep.probe
        if self.trusted:
            about = f"{len(self.trusted)} labels"
        trained = " ".join(f"{name}={value}" for name, value in self.trained)
        return " ".join(p for p in (self.task, self.kind, about, trained, seed) if p)


def steps(
    config: StudyConfig, tasks: Mapping[str, Kind], inputs: Mapping[str, Inputs] | None = None
) -> tuple[Step, ...]:
    """Every step of a study on tasks of these kinds, by name; others wait for the first ones.

    The baseline of n-grams is made first, so that supervisors are compared with it as soon as they
    are there, and before their students are trained.

    Args:
        config: the study.
        tasks: their kinds by name.
        inputs: what their items are, for those where these are no texts.
    """
    searches, first, students = list[Step](), list[Step](), list[Step]()
    for task, kind in tasks.items():
        searches.extend(searches_of(config, task))
        weak, strong = (needed_rates(config, task, role) for role in ROLES)
        ngrams = dict[int | None, Step]()
        if stages.has_ngrams((inputs or {}).get(task, "text")):
            ngrams = {seed: Step("ngrams", task, seed) for seed in config.seeds_of_checks}
        first.extend(ngrams.values())
        for seed in range(config.seeds):
            first_check = ngrams.get(seed) or ngrams.get(None)
            baseline = (first_check.name,) if first_check else ()
            supervisor = Step("supervisor", task, seed, needs=(*baseline, *weak))
            if not config.given_labels:
                first.append(supervisor)
            needs = baseline if config.given_labels else (supervisor.name,)
            for method in config.methods:
                students.append(Step("student", task, seed, method, (*needs, *strong)))
        for reading in (None, *readings_of(config)):
            first.extend(Step("ceiling", task, s, reading, strong) for s in range(config.seeds))
        for seed in config.seeds_of_checks:
            first.extend([Step("probe", task, seed)] if stages.has_probe(kind) else [])
    return (*searches, *first, *students)


def searches_of(config: StudyConfig, task: str) -> list[Step]:
    """The searches for rates on a task of a settled study."""
    return [Step("rates", task, method=role) for role in searched_roles(config)]


def needed_rates(config: StudyConfig, task: str, role: Role) -> tuple[str, ...]:
    """The names of the searches for a role's rates, which what it is trained for waits for."""
    return tuple(step.name for step in searches_of(config, task) if step.method == role)


def perform(step: Step, task_run: TaskRun) -> None:
    """Make the result of a step, or find it in the store; afterwards the store has it."""
    task_run, seed = task_run.of_seed(step.seed), step.seed or 0
    if step.keeps:
        task_run = replace(task_run, keeps=step.kind)
    match step.kind:
        case "rates":
            role: Role = "weak" if step.method == "weak" else "strong"
            found, model = stages.found_rates(task_run, role), getattr(task_run.config, role)
            rates = shown_rates((found.trunk, found.head), model.adaptation)
            task_run.remark(f"{rates}, of {len(found.trials)} short finetunings")
        case "supervisor":
            labels = stages.weak_labels(task_run, seed)
            if temperature := stages.temperature_of(task_run, labels):
                task_run.remark(f"its labels are learnt at temperature {temperature:g}")
        case "ceiling":
            stages.ceiling(task_run, seed, step.method)
        case "probe":
            stages.probe_ceiling(task_run)
        case "ngrams":
            stages.ngrams(task_run)
        case "student":
            stages.student(task_run, step.method or "", seed)
        case "sweep" if step.sweep:
            stages.sweep(task_run, step.sweep, None if step.truth else step.seed)
        case "traced":
            trained = dict(step.trained)
            stages.traced_student(task_run, step.method or "", seed, step.evaluations, trained)
        case "trusted":
            stages.trusted_alone(task_run, seed, step.trusted)
    if step.keeps:
        _keep(step, task_run, seed)


def _keep(step: Step, task_run: TaskRun, seed: int) -> None:
    """Keep the model of a step that is done; it is trained once more if it was not kept before."""
    before = len(task_run.used)
    if stages.kept_model(task_run, step.kind, seed, step.method) is None:
        task_run.remark("it is no one finetuned model, so that none is kept")
    elif any(not used.reused for used in task_run.used[before:]):
        task_run.remark("trained once more, as its model had not been kept")
