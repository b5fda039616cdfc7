"""The stages of a study: how many there are, what they share, and what each takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.costs import (
    Cost,
    activation_bytes,
    answer_bytes,
    finetuning_cost,
    neighbours_cost,
    prompting_cost,
    reading_flops,
    search_cost,
)
from weak2strong.engine.measured import Measured
from weak2strong.engine.sizes import TaskSize
from weak2strong.engine.stand_in import trial_run
from weak2strong.models.given import is_given
from weak2strong.models.gpus import gpus_per_fit
from weak2strong.models.guess import Guessed
from weak2strong.protocol.choice import TITLES, Choice, Role, lattice_of
from weak2strong.protocol.needs import intermediates_of
from weak2strong.protocol.resolve import readings_of
from weak2strong.protocol.stages import PREDICTED, has_ngrams, has_probe, is_read_once
from weak2strong.protocol.task_run import layers_named


@dataclass(frozen=True)
class Stage:
    """The stages of one kind in a study.

    Attributes:
        name: "rates of" a model, "supervisor", "ceiling", "student METHOD", "activations", what
            these are of if not the strong model, "probe" or "ngrams".
        model: which model does it; empty for none.
        count: how many of them there are, over all tasks and seeds.
        fits: how many finetunings they add, those that other stages make left out.
        shared: what one of them serves.
        flops: floating-point operations of all together, over the tasks whose sizes are known.
        seconds: that they take one after another, from those of their kind that were measured on
            this device; None where none was.
        stored: bytes of answers and activations, over the tasks whose sizes are known.
        gpus: on how many one of them is.
    """

    name: str
    model: str
    count: int
    fits: int
    shared: str
    flops: float | None
    seconds: float | None
    stored: int
    gpus: int


@dataclass(frozen=True)
class Stages:
    """The stages of a study whose methods are chosen."""

    config: StudyConfig
    tasks: Sequence[TaskSize]
    weak: Guessed
    strong: Guessed
    measured: Measured
    chosen: Sequence[Choice]

    def all(self) -> Iterator[tuple[Stage, Cost]]:
        """In the order in which they are made, each kind with what one of them takes of a task."""
        config, pairs = self.config, len(self.tasks) * self.config.seeds
        training = config.strong_training
        step = self.measured.step(config.strong, self.strong.adaptation, training.batch)
        methods = self._methods
        yield from self._searches()
        if not config.given_labels:
            yield from self._states_of_supervisor()
            yield self._supervisor()
        cost = finetuning_cost(self.strong, config.ceiling_training, "strong_train", step)
        yield self._stage("ceiling", self.strong, pairs, pairs, f"{methods} of a seed", cost)
        for reading in readings_of(config):
            name = f"ceiling {reading}"
            yield self._stage(name, self.strong, pairs, pairs, "students alike", cost)
        yield from self._checks()
        fits_before, between = set[str](), len(intermediates_of(config))
        for method in config.methods:
            context = trial_run(method, between)
            new = len(set(context.fits) - fits_before)
            fits_before.update(context.fits)
            # What a student answers is stored once more, as the method's.
            cost = finetuning_cost(self.strong, training, "weak labels", step, new, new + 1)
            if context.texts_read:
                cost = prompting_cost(cost, self.strong, context.texts_read)
            every = new == len(set(context.fits))
            shared = "one cell" if every else "one cell; fits shared with others"
            name = f"student {method}"
            yield self._stage(name, self.strong, pairs, new * pairs, shared, cost)

    def _supervisor(self) -> tuple[Stage, Cost]:
        """The supervisors, which are trained for each seed, or answer by their neighbours."""
        config, training = self.config, self.config.weak_training
        if not config.weak.is_trained:
            count, serves = self._once_a_split()
            seconds = self.measured.stage("neighbours", config.weak)
            cost = neighbours_cost(self.weak, seconds)
            return self._stage("supervisor", self.weak, count, 0, serves, cost)
        step = self.measured.step(config.weak, self.weak.adaptation, training.batch)
        aside = config.weak_label_temperature == "fit"
        cost = finetuning_cost(self.weak, training, "weak_train", step, aside=aside)
        pairs, serves = len(self.tasks) * config.seeds, f"{self._methods} of a seed"
        return self._stage("supervisor", self.weak, pairs, pairs, serves, cost)

    def _states_of_supervisor(self) -> Iterator[tuple[Stage, Cost]]:
        """What the frozen trunk of a supervisor gives, where that is a stage of its own."""
        weak = self.weak
        if not all(is_read_once(task.inputs, weak) for task in self.tasks):
            return
        count, serves = self._once_a_split()
        # Those of its own split are one stage, and those of all that it answers are another one.
        each = self.measured.stage("activations", self.config.weak)
        layers = self._layers
        cost = Cost(
            lambda task: reading_flops(weak, task, ("weak_train", *PREDICTED)),
            lambda task: None if each is None else 2 * each,
            lambda task: (
                activation_bytes(weak, 1, task, ("weak_train",))
                + activation_bytes(weak, layers, task)
            ),
        )
        yield self._stage(f"activations of {TITLES['weak']}", weak, count, 0, serves, cost)

    @property
    def _layers(self) -> int:
        """Of how many layers activations are gathered: the middle and the last one in any case."""
        return 2 + len({*layers_named(self.config.methods)} - {"usual", "middle", "last", -1})

    def _once_a_split(self) -> tuple[int, str]:
        """How many stages there are that seeds with the same splits share, and what one serves."""
        seeds, serves = self.config.seeds_of_checks, self._methods
        if self.config.seeds > 1:
            serves += ", all seeds" if len(seeds) == 1 else " of a seed"
        return len(self.tasks) * len(seeds), serves

    def _searches(self) -> Iterator[tuple[Stage, Cost]]:
        """The searches for learning rates."""
        for choice in self.chosen:
            if choice.how != "search":
                continue
            model = self.weak if choice.role == "weak" else self.strong
            spec, training = getattr(self.config, choice.role), self._training(choice.role)
            lattices = [lattice_of(task.kind, model.adaptation) for task in self.tasks]
            fits = sum(number for lattice in lattices for number, _ in lattice.rounds)
            step = self.measured.step(spec, model.adaptation, training.batch)
            cost = search_cost(model, training, step)
            name, serves = f"rates of {TITLES[choice.role]}", f"{self._methods}, all seeds"
            yield self._stage(name, model, len(self.tasks), fits, serves, cost)

    def _training(self, role: Role) -> Training:
        return self.config.weak_training if role == "weak" else self.config.strong_training

    @property
    def _methods(self) -> str:
        count = len(self.config.methods)
        return "the method" if count == 1 else f"{'both' if count == 2 else 'all'} methods"

    def _checks(self) -> Iterator[tuple[Stage, Cost]]:
        """The n-gram baseline, and the probe where there are classes."""
        strong = self.config.strong
        frozen = replace(strong, adaptation="head")
        count, serves = self._once_a_split()
        if all(has_probe(task.kind) for task in self.tasks):
            cost = Cost(
                partial(reading_flops, self.strong),
                lambda task: self.measured.stage("activations", strong, gpus_per_fit(frozen)),
                partial(activation_bytes, self.strong, self._layers),
            )
            if not is_given(strong):
                # What a file holds is not made once more.
                yield self._stage("activations", self.strong, count, 0, serves, cost)
            cost = self._check_cost("probe", strong)
            yield self._stage("probe", None, count, 0, serves, cost)
        if all(has_ngrams(task.inputs) for task in self.tasks):
            yield self._stage("ngrams", None, count, 0, serves, self._check_cost("ngrams", None))

    def _check_cost(self, name: str, model: ModelSpec | None) -> Cost:
        return Cost(
            lambda task: None,
            lambda task: self.measured.stage(name, model),
            lambda task: answer_bytes(task, "test"),
        )

    def _stage(
        self, name: str, model: Guessed | None, count: int, fits: int, shared: str, cost: Cost
    ) -> tuple[Stage, Cost]:
        """A row; ``cost`` is that of a single stage."""
        times = count // len(self.tasks)
        known = [task for task in self.tasks if task.is_known]
        stage = Stage(
            name,
            model.name if model else "",
            count,
            fits,
            shared,
            _times(times, [cost.flops(task) for task in known]) if model else None,
            _times(times, [cost.seconds(task) for task in known]),
            times * sum(cost.stored(task) for task in known),
            self._gpus(name, model),
        )
        return stage, cost

    def _gpus(self, name: str, model: Guessed | None) -> int:
        """On how many GPUs a stage is."""
        if model is None:
            return 1
        spec = self.config.weak if model is self.weak else self.config.strong
        return gpus_per_fit(replace(spec, adaptation="head") if name == "activations" else spec)


def _times(times: int, values: Sequence[float | None]) -> float | None:
    """The sum of all values, so many times; None where one is not known, or where there is none."""
    numbers = [value for value in values if value is not None]
    return times * sum(numbers) if values and len(numbers) == len(values) else None
