"""One task of a study while it is run, and how a stage is read or made.

A stage's key holds the data themselves (digests of ids, texts and targets), the weights, the
settings, the code that makes the result, and the libraries and device that it was made on (see
`weak2strong.protocol.runtime`): everything that could change a number. That code is what the
function that makes it can reach (see `weak2strong.ground.code`), so that a change elsewhere loses
nothing that is stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.code.reach import words_in
from weak2strong.ground.code.source import Rules
from weak2strong.ground.code.used import Code, code_of, ours
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Entry, Store, stage_key, stage_request
from weak2strong.methods.reference import values_of
from weak2strong.protocol.learned import Learned
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.resolve import split_seed_of, splits_of
from weak2strong.protocol.runtime import By, Runtime, packages_in
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import Splits, digest
from weak2strong.tasks.task import Task

RULES = Rules(
    beside=(
        # What is kept, and where; and how a failure, or progress, is told.
        "weak2strong.ground.code",
        "weak2strong.ground.disks",
        "weak2strong.ground.errors",
        "weak2strong.ground.plugin_faults",
        "weak2strong.ground.plugins",
        "weak2strong.ground.stops",
        "weak2strong.ground.store",
        "weak2strong.ground.watched",
        "weak2strong.ground.whole",
        "weak2strong.protocol.runtime",
        "weak2strong.protocol.stages.keeping",
        "weak2strong.protocol.task_run",
        # How settings are read; their values are in the key.
        "weak2strong.config.fields",
        "weak2strong.config.settings",
        "weak2strong.config.study",
        "weak2strong.config.training:_rising",
        "weak2strong.ground.file_names:no_path",
        # Which models a process keeps for later; how they are copied is in the key.
        "weak2strong.models.capacity:available_bytes",
        "weak2strong.models.kept",
        # On how many GPUs, which is in the key, and how processes on them are started.
        "weak2strong.models.devices",
        "weak2strong.models.gpus",
        "weak2strong.training.together",
        # Which weights a model has, and facts for lists; the weights are in the key.
        "weak2strong.models.beneath:adapters_of",
        "weak2strong.models.beneath:beneath",
        "weak2strong.models.folders:base_of",
        "weak2strong.models.folders:folder_of",
        "weak2strong.models.folders:location_of",
        "weak2strong.models.folders:stack_of",
        "weak2strong.models.rates",
        "weak2strong.models.resolve",
        # What a task is made of; the key has the data, whichever way they came.
        "weak2strong.tasks.splits:Splits",
        "weak2strong.tasks.splits:digest",
        "weak2strong.tasks.task:Task",
        # From names to objects. A stage names the objects, and their code is followed.
        "weak2strong.ground.registry",
        "weak2strong.methods.method:Method",
        "weak2strong.ground.metrics:METRICS",
        "weak2strong.ground.metrics:metric",
        "weak2strong.ground.metrics:metrics_of",
        "weak2strong.ground.metrics:usual_metric",
        "weak2strong.ground.metrics:_of_kind",
        "weak2strong.ground.own_metrics",
        "weak2strong.ground.written:WRITTEN_METRICS",
        "weak2strong.models.load:LOADERS",
        "weak2strong.protocol.stages.learners:FOLLOWERS",
        "weak2strong.protocol.stages.learners:LEARNERS",
        "weak2strong.protocol.stages.learners:PASSED",
        # What is refused has no result.
        "weak2strong.models.border",
        "weak2strong.models.counts",
        "weak2strong.models.file_faults",
        "weak2strong.models.sound",
        "weak2strong.protocol.stages.returned:_fault",
    ),
    settings=("weak2strong.config",),
    registering=(
        "weak2strong.config.settings:settings",
        "weak2strong.methods.decorators:loss",
        "weak2strong.methods.decorators:method",
        "weak2strong.probes.decorators:probe",
        "weak2strong.simulators.simulator:simulator",
    ),
    texts=("note", "source", "summary"),
)
"""What of our source is left out of the code in a key: no change of it can change a result."""

OURS = ours(RULES)
"""The source of this package."""

Digests = dict[tuple[str, ModelSpec | None], str]
"""Digests of the items of splits, as a model reads them, or of the items themselves."""

Write = Callable[[Path], None]
"""Writes a finished result into an empty folder."""


class MissingError(LookupError):
    """A stage is not in the store, and the task run is not to compute.

    Attributes:
        stage: its name.
        key: that it would have.
        spec: all that is in the key.
        code: the code that would make it.
    """

    def __init__(self, stage: str, key: str, spec: Mapping[str, Any], code: Code):
        super().__init__(f"{stage} {key}")
        self.stage, self.key, self.spec, self.code = stage, key, spec, code


@dataclass(frozen=True)
class Used:
    """A stage that was read or made.

    Attributes:
        stage: its name.
        key: of its entry.
        reused: whether the store had it.
        seconds: that reading or making it took.
        note: on how it was made or what it gives, for a log.
        request: what it was asked for by, which has no place in it (see `stage_request`).
        device: the name of the one that made it.
    """

    stage: str
    key: str
    reused: bool
    seconds: float
    note: str = ""
    request: str = ""
    device: str = ""


def layers_named(methods: Sequence[str]) -> tuple[int | str, ...]:
    """The layers that methods read, by their references: those that have a setting ``layer``."""
    found = list[int | str]()
    for method in methods:
        # What is wrong with a reference is told where the method runs.
        with suppress(UserError):
            found += values_of(method, "layer")
    return tuple(dict.fromkeys(found))


@dataclass
class TaskRun:
    """One task of a study: its data, the store, and a record of the stages that were used.

    Attributes:
        config: the study, resolved.
        store: where results are kept.
        reference: the user's name of the task, as in the config.
        task: the task.
        splits: its examples; those of `seed`, where each has its own.
        seed: whose splits these are, where each seed has its own (see `of_seed`).
        compute: False makes a stage that is not in the store raise `MissingError`.
        on_step: called during every fit with steps done and steps in all.
        used: every stage that was read or made, in order.
        learned: what every finetuning among them took up of its labels.
        note: on how a stage was made, set by the function that makes it.
        known: keys by requests, as whoever made or read the stages gave them. These are tried
            first, so that results are read which another device made.
        keeps: the role whose trained models are kept; empty where none are.
        places: where stages may have been made; by default on the devices of this machine. These
            are tried in turn. What is made is made on the first device of this machine, and nothing
            where that is none of the places.
        layers: of the frozen student that methods of the study name, which are gathered together.
    """

    config: StudyConfig
    store: Store
    reference: str
    task: Task
    splits: Splits
    compute: bool = True
    on_step: Callable[[int, int], None] = lambda step, steps: None
    used: list[Used] = field(default_factory=list)
    learned: list[Learned] = field(default_factory=list)
    note: str = ""
    seed: int | None = None
    known: dict[str, str] = field(default_factory=dict)
    keeps: str = ""
    places: tuple[Runtime, ...] = ()
    layers: tuple[int | str, ...] = field(init=False, default=())
    _making: list[str] = field(default_factory=list)
    _digests: Digests = field(default_factory=dict)
    _of_seeds: dict[int, tuple[Splits, Digests]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Before any stage is made, as no stage depends on what else the study has.
        self.layers = layers_named(self.config.methods)

    @staticmethod
    def of(config: StudyConfig, store: Store, reference: str) -> TaskRun:
        """The task run for one of the tasks of a study."""
        task = find_task(reference, config.data).about(config.entities)
        return TaskRun(config, store, reference, task, splits_of(config, task))

    @staticmethod
    def all_of(config: StudyConfig, store: Store) -> dict[str, TaskRun]:
        """The task runs of all tasks of a study by the names of the tasks.

        Raises:
            UserError: where the splits of a task cannot be made, for any seed.
        """
        every = [TaskRun.of(config, store, reference) for reference in config.tasks]
        for task_run in every:
            for seed in range(config.seeds):
                task_run.of_seed(seed)
        return {task_run.task.name: task_run for task_run in every}

    def of_seed(self, seed: int | None) -> TaskRun:
        """The same task run, with the splits of a seed where each has its own.

        The list of used stages stays the same one. A seed of None stands for all seeds, which is
        right only where they share their splits.
        """
        if self.config.vary == "training" or seed is None:
            return self
        if seed not in self._of_seeds:
            splits = self.splits if seed == 0 else splits_of(self.config, self.task, seed)
            self._of_seeds[seed] = (splits, {})
        splits, digests = self._of_seeds[seed]
        return replace(self, splits=splits, seed=seed, _digests=digests)

    @property
    def split_seed(self) -> int:
        """The seed by which these examples were dealt out, and are held out for stopping."""
        return split_seed_of(self.config, self.seed or 0)

    @cached_property
    def _machine(self) -> tuple[Runtime, ...]:
        return Runtime.of_machine()

    def item_digests(self, splits: Sequence[str], model: ModelSpec | None = None) -> dict[str, str]:
        """For keys: digests of the items (without labels) of some splits, each computed once.

        They are of what a model reads; without a model, of the items themselves.
        """
        found = {}
        for split in splits:
            if (split, model) not in self._digests:
                items = self.splits.items(split)
                of = digest(items) if model is None else read_digest(items, model)
                self._digests[split, model] = of
            found[split] = self._digests[split, model]
        return found

    def remark(self, text: str) -> None:
        """Note something on the stage that was used last, whether it was made or read."""
        *before, last = self.used
        note = ", ".join(filter(None, (last.note, text)))
        self.used[:] = (*before, replace(last, note=note))

    def stage(
        self,
        stage: str,
        fields: Mapping[str, Any],
        inputs: Mapping[str, str],
        make: Callable[[Path], Write],
        named: Sequence[Any] = (),
        by: By = "device",
        gpus: int = 1,
    ) -> Entry:
        """The entry of a stage, read from the store or made now.

        Args:
            stage: its name.
            fields: every setting that changes the result.
            inputs: digests of the data and weights that it starts from.
            make: computes the result and returns a function that writes it; it receives a
                folder for checkpoints, which outlives a kill. Its code is in the key, with all
                code of ours that it can reach.
            named: functions, classes and objects that ``make`` finds by a name, such as a loss:
                their code is in the key, too.
            by: what computes it: "processor" only where no model takes part.
            gpus: on how many it is made together. More than one are in the key, since sums over
                parts of a batch are rounded otherwise; the folder for checkpoints is the same for
                every number, so that another number goes on.

        Raises:
            MissingError: where the stage would have to be made and ``compute`` is False, or this
                process is none of the ``places``.
        """
        assert self.config.vary == "training" or self.seed is not None, "see of_seed"
        code = code_of(OURS, make, named, words_in(fields))
        asked = {"fields": fields, "inputs": inputs, "code": code.digest}
        on = partial(Runtime.of, by=by, gpus=gpus, packages=packages_in(fields))
        request = stage_request(stage, **asked)
        begun = time.monotonic()
        entry = self._stored(stage, request, asked, on)
        reused = entry is not None
        if entry is None:
            here = self.compute and not self._is_elsewhere
            place = self._machine[0] if here else self.place
            spec = {**asked, "runtime": on(place)}
            key = stage_key(stage, **spec)
            on_one = stage_key(stage, **asked, runtime=on(place, gpus=1))
            if not here:
                raise MissingError(stage, key, spec, code)
            with self.store.lock(stage, on_one):
                # Another process may have made it while this one waited for the lock.
                entry = self.store.get(stage, key)
                reused = entry is not None
                if entry is None:
                    before = len(self.used)
                    write = self._made(stage, make, self.store.working(stage, on_one))
                    made_of = dict.fromkeys((u.stage, u.key) for u in self.used[before:])
                    seconds = time.monotonic() - begun
                    self.store.keep_code(code.digest, code.pieces)
                    entry = self.store.put(stage, key, spec, write, seconds, [*made_of])
                    self.store.clear_working(stage, on_one)
        self.known[request] = entry.key
        seconds, device = round(time.monotonic() - begun, 3), device_of(entry)
        self.used.append(Used(stage, entry.key, reused, seconds, self.note, request, device))
        self.note = ""
        return entry

    @property
    def place(self) -> Runtime:
        """The first of the places where its stages may have been made."""
        return (self.places or self._machine)[0]

    @property
    def _is_elsewhere(self) -> bool:
        """Whether this process only reads, as the head of a cluster does, which has no GPU."""
        return bool(self.places) and self._machine[0] not in self.places

    def _stored(
        self, stage: str, request: str, asked: Mapping[str, Any], on: Callable[..., Mapping]
    ) -> Entry | None:
        """The entry that answers a request, by the key that is known, or from one of the places.

        What is made here says in its key that it was made here. So while a stage is made, those
        that it is made of are this device's, too; their results are in no key of their own.
        """
        known, places = self.known.get(request), self.places or self._machine
        if self._making:
            known, places = None, self._machine[:1]
        keys = [known] if known else []
        keys += [stage_key(stage, **asked, runtime=on(place)) for place in places]
        found = (self.store.get(stage, key) for key in dict.fromkeys(keys))
        return next((entry for entry in found if entry), None)

    def _made(self, stage: str, make: Callable[[Path], Write], working: Path) -> Write:
        self._making.append(stage)
        try:
            return make(working)
        finally:
            self._making.pop()


def device_of(entry: Entry) -> str:
    """The name of the device that made a stage."""
    return entry.manifest["spec"]["runtime"]["device"]
