"""What a study is: tasks, a pair of models, methods, seeds and settings."""

from __future__ import annotations

import json
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field

from weak2strong.config.data import DataOptions
from weak2strong.config.fields import (
    File,
    Files,
    Flag,
    References,
    Share,
    Temperature,
    Text,
    Texts,
    Whole,
)
from weak2strong.config.model import Model, Models, Unnamed
from weak2strong.config.settings import from_mapping, read, settings
from weak2strong.config.text import read_mapping
from weak2strong.config.training import Stopping, Training
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import altered
from weak2strong.ground.regular import check_regular

Entities = Literal["seen", "unseen"]
"""Whether a task asks about what the ladder's pretraining text speaks of, or keeps silent about."""

Labels = Literal["soft", "hard"]
Vary = Literal["training", "split"]
RateChoice = Literal["auto", "search", "rule"]
PrimaryTest = Literal["wilcoxon-one-sided", "wilcoxon-two-sided", "t-one-sided", "t-two-sided"]
Difficulty = Annotated[Text, Flag(metavar="RANGE")]
Settings = Annotated[Training, from_mapping(Training)]

RULES = {"mean": "mean of ", "majority": "majority of ", "dawid-skene": "Dawid-Skene of "}
"""The beginning of the name of several annotators, by what is made of their classes."""


SATURATED = 0.99
"""The usual score above which floor and ceiling can no longer be told apart."""


@settings("a study")
class StudyConfig:
    """A study: the same one, resolved, gives the same cells."""

    tasks: Annotated[References, Flag("task", "NAME ...")] = ("atlas-asia",)
    """Tasks or groups by name, such as atlas-suite (see: w2s tasks), your own files (.jsonl, .csv,
    .parquet and others), or datasets of the hub (owner/name)."""
    weak: Annotated[Model, Flag(metavar="MODEL")] = field(
        default_factory=lambda: Unnamed("atlas-s")
    )
    """Supervisor model: a ladder rung, a folder, or a hub id[@revision]. Where neither model is
    named, texts of your own of which the ladder knows nothing get a small pair of the hub."""
    strong: Annotated[Model, Flag(metavar="MODEL")] = field(
        default_factory=lambda: Unnamed("atlas-l")
    )
    """Student and ceiling model, likewise."""
    methods: Annotated[Texts, Flag(metavar="NAME ...")] = ("usual",)
    """Methods by name, or all that the study can provide for, but for oracles; usual is naive and
    confidence as far as it can (see: w2s methods). NAME:SETTING=VALUE changes a setting, STEP+NAME
    puts a step before a method."""
    seeds: Annotated[int, Field(ge=1, le=10_000)] = 5
    """How many seeds; each varies initialisation, order and supervisor."""
    metric: Annotated[Text | None, Flag(metavar="METRIC")] = None
    """What scores and PGR are computed on: accuracy (default), roc_auc, f1 or matthews; of tasks
    that are answered in words exact_match (default), words_match, number_match, letter_match or
    pattern_match:REGEX; or one of a plugin. Every metric is recorded."""
    weak_labels: File | None = None
    """A csv, jsonl or parquet file of your own weak labels, in place of a supervisor."""
    simulated: Annotated[Text | None, Flag(metavar="KIND")] = None
    """A simulated supervisor in place of the real one, which then only says how accurate it is
    (see: w2s simulate)."""
    simulated_accuracy: Share | None = None
    """Accuracy of the simulated supervisor on every split; by default that of the real one."""
    labels: Labels = "soft"
    """What students learn: probabilities as the supervisor gives them (soft), or its most probable
    class alone (hard)."""
    weak_label_temperature: Annotated[Temperature | None, Flag(metavar="NUMBER|fit")] = None
    """How sure soft labels are: students learn softmax(log p / T) of the supervisor's probabilities
    p, which a T above 1 makes less sure and one below 1 surer. fit: the T that suits ground truth
    which the supervisor has not learnt, a tenth of weak_train. As they are, if not given."""
    weak_training: Settings = field(default_factory=Training)
    """Settings of the supervisor's finetuning."""
    strong_training: Settings = field(default_factory=Training)
    """Settings of the finetuning of students and ceiling."""
    ceiling_stopping: Annotated[Stopping | None, Flag(metavar="RULE")] = None
    """Which weights of the ceiling are kept: none, weak-validation or oracle (see: stopping); as
    of the students if not given."""
    rates: RateChoice = "auto"
    """Where peak learning rates come from that are not given: a short search on the supervisor's
    ground truth (search), or a rule of size and adaptation (rule); auto takes those that were
    fitted for shipped models, searches for other models where that takes at most half of what the
    rest of the study takes, and else follows the rule."""
    split_seed: Whole = 0
    """Decides the splits, which all seeds share (but see vary)."""
    vary: Vary = "training"
    """What a seed draws: initialisation, order and supervisor on one split (training), or also who
    learns from which examples (split): weak_train, strong_train and validation are then drawn anew
    for each seed, and the test is the same for all."""
    entities: Entities = "seen"
    """Ask about what the ladder has read about (seen), or about what no rung can know (unseen)."""
    train_difficulty: Difficulty | None = None
    """Train and validate on such examples alone, where a task says how hard they are: below:1200,
    above:1600, between:1200:1600, easiest:0.5 or hardest:0.25 (a share of the task)."""
    test_difficulty: Difficulty | None = None
    """Test on such examples alone, likewise: easy to hard, for instance."""
    data: Annotated[DataOptions, from_mapping(DataOptions)] = field(default_factory=DataOptions)
    """Where your own data have what, and how they become tasks."""
    intermediates: Annotated[Models | None, Flag(metavar="MODEL ...")] = None
    """Models between the two, the smallest first, for bootstrapping; by default the rungs between
    two rungs of the ladder."""
    supervisors: Annotated[Models, Flag(metavar="MODEL ...")] = ()
    """Further supervisors, for ensembles; by default the same one from other seeds."""
    plugins: Annotated[Files, Flag("plugin")] = ()
    """Python files that add methods, losses, probes, tasks or metrics of your own."""
    primary_test: Annotated[PrimaryTest, Flag(metavar="TEST")] = "wilcoxon-one-sided"
    """By which w2s compare will judge methods, fixed before there are results: wilcoxon-one-sided,
    wilcoxon-two-sided, t-one-sided or t-two-sided."""
    saturated: Annotated[Share, Flag(metavar="NUMBER")] = SATURATED
    """Above which score of both floor and ceiling a task is left out of means over tasks and of w2s
    compare; 1 leaves out none."""
    literature: Annotated[Text | None, Flag(metavar="NAME")] = None
    """Published results to print beside ours, as recipes name them: burns-2023, burns-2023-chess,
    burns-2023-reward-modelling or eleuther-2024."""

    @property
    def seeds_of_checks(self) -> tuple[int | None, ...]:
        """The seeds of probe and n-grams: one check for all seeds, which has none, or one a seed
        where each has a split of its own."""
        return tuple(range(self.seeds)) if self.vary == "split" else (None,)

    @property
    def ceiling_training(self) -> Training:
        """Settings of the ceiling's finetuning: those of the students, but for its own stopping."""
        rule = self.ceiling_stopping or self.strong_training.stopping
        return replace(self.strong_training, stopping=rule)

    @property
    def weak_name(self) -> str:
        """What tables call the source of weak labels: a model, a simulated supervisor, a file."""
        if self.simulated:
            return f"simulated {self.simulated}"
        if columns := self.data.weak_label_columns:
            return f"{RULES[self.data.weak_label_rule] if columns[1:] else ''}{', '.join(columns)}"
        return self.weak_labels.name if self.weak_labels else self.weak.name

    @property
    def given_labels(self) -> bool:
        """Whether weak labels are given, in a file or by annotators, and no one is trained for
        them."""
        annotated = bool(self.data.weak_label_columns) and self.simulated is None
        return self.weak_labels is not None or annotated

    def to_yaml(self) -> str:
        """The study as text that `from_yaml` reads."""
        plain = json.loads(json.dumps(asdict(self), default=str))
        return yaml.safe_dump(plain, sort_keys=False)

    @classmethod
    def from_yaml(cls, text: str | bytes) -> Self:
        """Read a study.

        Raises:
            UserError: for text that is no mapping, an unknown setting, or a wrong value.
        """
        return read(cls, read_mapping(text, "a study"))


def read_study(path: Path, kind: type[StudyConfig] = StudyConfig) -> StudyConfig:
    """The study, or the experiment, in a YAML file.

    Args:
        path: of the file.
        kind: the class of what it holds; the settings of experiments may stand in the file, too.

    Raises:
        UserError: for a file that cannot be read or is no study, or that of a run which was changed
            since.
    """
    if path.is_dir():
        raise UserError(
            f"Study {path} is a folder: name a file, or remove it, and put the file of the study "
            "there."
        )
    check_regular(path, f"Study {path}")
    try:
        if damage := altered(path):
            raise UserError(
                f"{damage}: copy it out of the folder of its run to change it, or name another."
            )
        return kind.from_yaml(path.read_bytes())
    except OSError as e:
        raise UserError(f"Study {path} cannot be read: {e.strerror}.") from e
    except UserError as e:
        raise UserError(f"Study {path}: {e}") from e
