"""What a study is: tasks, a pair of models, methods, seeds and settings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.metrics import LESS_IS_BETTER, metric, usual_metric
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.predictions import WRITTEN, read_weak_labels
from weak2strong.methods import GROUPS, USUAL
from weak2strong.methods.reference import find_method, reading_in
from weak2strong.models.spec import ModelSpec, fingerprint, rungs
from weak2strong.protocol.needs import LeftOut, provided
from weak2strong.protocol.test_size import check_test
from weak2strong.simulators import SIMULATORS
from weak2strong.subjects.chess.options import PuzzleOptions
from weak2strong.tasks import expand
from weak2strong.tasks.difficulty import read_selection, select
from weak2strong.tasks.files import DataOptions
from weak2strong.tasks.find import find_tasks, pinned, tests_pinned
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.splits import Splits, make_splits
from weak2strong.tasks.task import Entities, Task
from weak2strong.training.settings import Training

DEFAULT_TASKS = ("atlas-asia",)
DEFAULT_WEAK, DEFAULT_STRONG = "atlas-s", "atlas-l"
DEFAULT_METHODS = (USUAL,)
DEFAULT_SEEDS = 5

Labels = Literal["soft", "hard"]
PrimaryTest = Literal["wilcoxon-one-sided", "wilcoxon-two-sided", "t-one-sided", "t-two-sided"]


@dataclass(frozen=True)
class StudyConfig:
    """A study, resolved: the same config gives the same cells.

    Attributes:
        tasks: names of tasks or groups, the user's own files, or datasets of the hub
            (see `weak2strong.tasks.find`).
        weak: the supervisor's model.
        strong: the model of students and ceiling.
        methods: references of methods (see `weak2strong.methods.reference`); ``all`` stands
            for every one that the study can provide for, but for oracles, ``usual`` for
            naive and confidence, as far as it can.
        seeds: how many; they are numbered from 0.
        metric: what PGR is computed on, None for the usual one of the tasks; every metric
            of the kind is recorded.
        weak_labels: a file of the user's own labels in place of a supervisor.
        simulated: a simulated supervisor (see `weak2strong.simulators`) in place of the
            real one, which then only says how accurate it is.
        simulated_accuracy: its accuracy on every split; None for that of the real one there.
        labels: what students learn: probabilities as the supervisor gives them ("soft"),
            or its most probable class alone ("hard").
        weak_training: settings of the supervisor's fit.
        strong_training: settings of the fits of students and ceiling.
        split_seed: decides the splits, which all seeds share.
        entities: whether tasks ask about what the ladder has read about ("seen"),
            or about what no rung can know ("unseen").
        train_difficulty: which examples training and validation keep, such as
            ``below:1200`` (see `weak2strong.tasks.difficulty`); None for all.
        test_difficulty: which examples the test keeps, likewise.
        data: where the user's own data have what, and how they are made into tasks.
        intermediates: models between supervisor and student, for bootstrapping, the
            smallest first; None takes the rungs between two rungs of the ladder.
        supervisors: further supervisors, for ensembles.
        plugins: Python files that add methods, losses, probes and tasks.
        primary_test: by which `w2s compare` will judge methods; no result depends on it.
    """

    tasks: tuple[str, ...] = DEFAULT_TASKS
    weak: ModelSpec = field(default_factory=lambda: ModelSpec(DEFAULT_WEAK))
    strong: ModelSpec = field(default_factory=lambda: ModelSpec(DEFAULT_STRONG))
    methods: tuple[str, ...] = DEFAULT_METHODS
    seeds: int = DEFAULT_SEEDS
    metric: str | None = None
    weak_labels: Path | None = None
    simulated: str | None = None
    simulated_accuracy: float | None = None
    labels: Labels = "soft"
    weak_training: Training = field(default_factory=Training)
    strong_training: Training = field(default_factory=Training)
    split_seed: int = 0
    entities: Entities = "seen"
    train_difficulty: str | None = None
    test_difficulty: str | None = None
    data: DataOptions = field(default_factory=DataOptions)
    intermediates: tuple[ModelSpec, ...] | None = None
    supervisors: tuple[ModelSpec, ...] = ()
    plugins: tuple[Path, ...] = ()
    primary_test: PrimaryTest = "wilcoxon-one-sided"

    def splits(self, task: Task) -> Splits:
        """The splits of one of the study's tasks.

        Raises:
            UserError: where they cannot be made, or lack what difficulty or the metric asks for.
        """
        whole = make_splits(task, self.split_seed)
        about, of = f"Task {task.name}", stratum(task.kind)
        found = select(whole, self.train_difficulty, self.test_difficulty, about, of)
        check_test(task, found.test, self.metric or task.metric or usual_metric(task.kind))
        return found

    @property
    def weak_name(self) -> str:
        """What tables call the source of weak labels: the supervisor's model, or what is for it."""
        if self.simulated:
            return f"simulated {self.simulated}"
        return self.weak_labels.name if self.weak_labels else self.weak.name

    @property
    def chain(self) -> tuple[ModelSpec, ...]:
        """The intermediates that were named, or the rungs between two rungs."""
        if self.intermediates is not None:
            return self.intermediates
        known, ends = rungs(), (self.weak.name, self.strong.name)
        if self.weak_labels or not set(ends) <= set(known):
            return ()
        first, last = map(known.index, ends)
        return tuple(
            ModelSpec(name, precision=self.strong.precision) for name in known[first + 1 : last]
        )

    @property
    def readings(self) -> tuple[str, ...]:
        """The steps by which some students read texts first: their ceilings do so, too."""
        found = (reading_in(method) for method in self.methods)
        return tuple(dict.fromkeys(reading for reading in found if reading))

    def checked(self) -> tuple[str, ...]:
        """The references of all tasks, groups written out, once the study's own words are right.

        Neither data nor models are looked at.

        Raises:
            UserError: for a name or a number that cannot be right.
        """
        load_plugins(self.plugins)
        references = expand(self.tasks)
        _check_list("task", references)
        _check_list("method", self.methods)
        if self.metric in LESS_IS_BETTER:
            raise UserError(f"PGR needs a metric of which more is better, not {self.metric!r}.")
        if self.seeds < 1:
            raise UserError(f"A study needs at least 1 seed, not {self.seeds}.")
        for name in self.methods:
            if name not in GROUPS:
                find_method(name)
        _check_list("intermediate", tuple(m.name for m in self.chain), least=0)
        if self.entities not in get_args(Entities):
            raise UserError(f"Entities are seen or unseen, not {self.entities!r}.")
        if self.labels not in get_args(Labels):
            raise UserError(f"Labels are soft or hard, not {self.labels!r}.")
        for selection in (self.train_difficulty, self.test_difficulty):
            if selection is not None:
                read_selection(str(selection))
        self._check_simulated()
        if self.primary_test not in get_args(PrimaryTest):
            raise unknown_name("primary test", self.primary_test, get_args(PrimaryTest))
        return references

    def _check_simulated(self) -> None:
        accuracy = self.simulated_accuracy
        if self.simulated is not None:
            SIMULATORS.get(self.simulated)
            if self.weak_labels:
                raise UserError("Weak labels are simulated or come from a file, not both.")
        elif accuracy is not None:
            raise UserError("An accuracy of simulated labels needs a kind: name it (simulated).")
        if accuracy is not None and not 0 <= accuracy <= 1:
            raise UserError(f"The accuracy of simulated labels is from 0 to 1, not {accuracy}.")

    def resolved(self) -> StudyConfig:
        """The same study with nothing left to what may change: default rates, hub branches.

        Raises:
            UserError: for any name, number or file that cannot be right.
        """
        return self.resolved_and_left_out()[0]

    def resolved_and_left_out(self) -> tuple[StudyConfig, LeftOut]:
        """The study, `resolved`, and which methods it cannot provide for.

        Raises:
            UserError: as `resolved`.
        """
        references = self.checked()
        tasks = find_tasks(references, self.data)
        usual = _common_metric(tasks)
        models = (self.weak, self.strong, *self.chain, *self.supervisors)
        for task in tasks:
            if self.simulated and task.kind in WRITTEN:
                raise UserError(
                    f"Task {task.name} is answered in words, and simulated supervisors answer by "
                    "classes: name another task."
                )
            task.about(self.entities)
            for m in (
                self.metric,
                self.weak_training.stopping_metric,
                self.strong_training.stopping_metric,
            ):
                metric(task.kind, m)
            if self.weak_labels:
                read_weak_labels(self.weak_labels, len(task.classes), task.kind)
        if self.weak_labels and len(tasks) > 1:
            raise UserError("--weak-labels belongs to one task: name one with --task.")
        for model in models:
            fingerprint(model)
            for task in tasks:
                model.check_kind(task.kind)
        weak, strong = self.weak.resolved(), self.strong.resolved()
        shapes = {task.name: (task.kind, len(task.classes)) for task in tasks}
        methods, left = provided(self, shapes)
        found = replace(
            self,
            tasks=tuple(map(pinned, references, tasks)),
            data=tests_pinned(self.data),
            weak=weak,
            strong=strong,
            methods=methods,
            metric=self.metric or usual,
            intermediates=tuple(model.resolved() for model in self.chain),
            supervisors=tuple(model.resolved() for model in self.supervisors),
            plugins=tuple(path.expanduser().absolute() for path in self.plugins),
            weak_training=_settled(self.weak_training, usual, weak),
            strong_training=_settled(self.strong_training, usual, strong),
        )
        return found, left

    def to_yaml(self) -> str:
        """The study as text that `from_yaml` reads."""
        plain = json.loads(json.dumps(asdict(self), default=str))
        return yaml.safe_dump(plain, sort_keys=False)

    @staticmethod
    def from_yaml(text: str) -> StudyConfig:
        """Read a study.

        Raises:
            UserError: for text that is no mapping, or an unknown field.
        """
        try:
            plain = yaml.safe_load(text)
        except yaml.YAMLError as e:
            raise UserError(f"The study is no YAML: {str(e).splitlines()[0]}.") from e
        if not isinstance(plain, dict):
            raise UserError("A study is a YAML mapping, such as `tasks: [atlas-asia]`.")
        read = dict(_known(StudyConfig, plain))
        for name, kind in (
            ("weak", ModelSpec),
            ("strong", ModelSpec),
            ("weak_training", Training),
            ("strong_training", Training),
            ("data", DataOptions),
        ):
            if name in read:
                read[name] = _made(name, kind, read[name])
        for name in ("tasks", "methods"):
            if name in read:
                read[name] = tuple(read[name])
        for name in ("intermediates", "supervisors"):
            if read.get(name) is not None:
                read[name] = tuple(_made(name, ModelSpec, value) for value in read[name])
        if "plugins" in read:
            paths = read["plugins"] or ()
            read["plugins"] = tuple(map(Path, [paths] if isinstance(paths, str) else paths))
        if read.get("weak_labels"):
            read["weak_labels"] = Path(read["weak_labels"])
        return StudyConfig(**read)


def _common_metric(tasks: Sequence[Task]) -> str:
    """What the tasks are usually scored by."""
    first, *others = tasks
    usual = {task.name: task.metric or usual_metric(task.kind) for task in tasks}
    for other in others:
        if usual[other.name] != usual[first.name]:
            raise UserError(
                f"Task {first.name} is scored by {usual[first.name]}, {other.name} by "
                f"{usual[other.name]}: give each a study of its own."
            )
    return usual[first.name]


def _settled(training: Training, metric: str, model: ModelSpec) -> Training:
    """With a metric to stop by, and rates."""
    training = replace(training, stopping_metric=training.stopping_metric or metric)
    return training.with_rates(model.rates)


def read_study(path: Path) -> StudyConfig:
    """The study in a YAML file.

    Raises:
        UserError: for a file that cannot be read or is no study.
    """
    try:
        return StudyConfig.from_yaml(path.read_text())
    except OSError as e:
        raise UserError(f"Study {path} cannot be read: {e.strerror}.") from e
    except UserError as e:
        raise UserError(f"Study {path}: {e}") from e


def _made(name: str, kind: type, value: Any) -> Any:
    """A part of a study from its mapping; a model may also be its name."""
    if kind is ModelSpec and isinstance(value, str):
        value = vars(ModelSpec.parse(value))
    if not isinstance(value, dict):
        raise UserError(f"{name} of a study must be a mapping, not {value!r}.")
    if kind is Training:
        value = {k: _number(v) for k, v in value.items()}
    if kind is DataOptions and "puzzles" in value:
        value = {**value, "puzzles": _made("puzzles", PuzzleOptions, value["puzzles"])}
    return kind(**_known(kind, value))


def _check_list(what: str, names: tuple[str, ...], least: int = 1) -> None:
    if len(names) < least:
        raise UserError(f"A study needs at least one {what}.")
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise UserError(f"A {what} is named more than once: {', '.join(repeated)}.")


def _number(value: Any) -> Any:
    """YAML takes 1e-4 for text, for want of a point; a person means a number."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _known(kind: type, plain: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mapping, if every key is a field of the dataclass."""
    names = [f.name for f in fields(kind)]
    for key in plain:
        if key not in names:
            raise unknown_name("field of a study", key, names)
    return plain
