"""What a study is: tasks, a pair of models, methods, seeds and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import yaml

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.sources import SourceOptions
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.rooms import OPTIONS

DEFAULT_TASKS = ("atlas-asia",)
DEFAULT_WEAK, DEFAULT_STRONG = "atlas-s", "atlas-l"
DEFAULT_METHODS = ("usual",)
DEFAULT_SEEDS = 5

Entities = Literal["seen", "unseen"]
"""Whether a task asks about what the ladder's pretraining text speaks of, or keeps silent about."""

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

    @property
    def weak_name(self) -> str:
        """What tables call the source of weak labels: the supervisor's model, or what is for it."""
        if self.simulated:
            return f"simulated {self.simulated}"
        return self.weak_labels.name if self.weak_labels else self.weak.name

    def to_yaml(self) -> str:
        """The study as text that `from_yaml` reads."""
        plain = asdict(self) | {"data": self.data.plain}
        plain = json.loads(json.dumps(plain, default=str))
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
    if kind is DataOptions:
        own = {
            name: _made(name, OPTIONS.get(name), value[name]) for name in OPTIONS if name in value
        }
        others = {field: v for field, v in value.items() if field not in own}
        return DataOptions(**_known(kind, others), sources=SourceOptions(own))
    return kind(**_known(kind, value))


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
