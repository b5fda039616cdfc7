"""How the peak rates of the two models of a study are chosen: given, fitted, by rule or search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.models.given import is_given
from weak2strong.models.rates import fitted_rates
from weak2strong.protocol.halving import Lattice, passes
from weak2strong.simulators import SIMULATORS
from weak2strong.tasks.task import Kind

Role = Literal["weak", "strong"]
How = Literal["given", "fitted", "rule", "search", "unknown"]

ROLES: tuple[Role, ...] = ("weak", "strong")

TITLES: Mapping[Role, str] = {"weak": "supervisor", "strong": "students and ceiling"}
"""Whose model it is, for people."""

MOST = 0.5
"""A search may take this share of the operations of the study that it is for."""


@dataclass(frozen=True)
class Choice:
    """How the rates of a model are chosen.

    Attributes:
        role: whose model it is.
        model: its name.
        how: the user gave them, they were fitted for a rung of the ladder, the rule gives them, or
            a search finds them; unknown where only the run can tell.
        why: the reason for rule or search, as half a sentence; empty where the user knows it.
    """

    role: Role
    model: str
    how: How
    why: str = ""


@dataclass(frozen=True)
class Weight:
    """What a finetuning of a model takes, as far as choosing needs it.

    Attributes:
        multiplied: parameters of the trunk that stand in products, which take all the time;
            None where nothing on this machine tells them.
        adaptation: what of it is trained.
    """

    multiplied: int | None
    adaptation: str | None


@dataclass(frozen=True)
class Amount:
    """How many examples of a task models learn from; None where that is not known."""

    kind: Kind
    weak_train: int | None
    strong_train: int | None


def choices(
    config: StudyConfig,
    weights: Callable[[], Mapping[Role, Weight]],
    amounts: Callable[[], Sequence[Amount]],
) -> tuple[Choice, ...]:
    """How the rates of supervisor and student are chosen; one that is not trained has none.

    Args:
        config: a study; methods that stand for several are written out.
        weights: of the models; called only where a search may be chosen.
        amounts: the examples of the tasks, likewise.

    Raises:
        UserError: where a search was asked for and cannot be made.
    """
    trained = trained_roles(config)
    _check(config, trained)
    open_roles: list[Role] = [role for role in trained if _is_open(config, role)]
    how: How = "rule"
    why = "asked for"
    if config.given_labels:
        why = "weak labels are given, so no ground truth of a supervisor"
    elif config.rates == "search":
        how = "search"
    elif config.rates == "auto" and open_roles:
        share = search_share(config, open_roles, weights(), amounts())
        of_study = "of what the rest of the study takes"
        if share is None:
            how, why = "unknown", "the size of data or models is not known here; the run decides"
        elif share > MOST:
            why = f"a search would take about {share:.0%} {of_study}"
        else:
            how, why = "search", f"it takes about {share:.0%} {of_study}"
    return tuple(
        Choice(role, getattr(config, role).name, how, why)
        if role in open_roles
        else _settled(config, role)
        for role in trained
    )


def trained_roles(config: StudyConfig) -> tuple[Role, ...]:
    """The models of a study of which something is trained wherever they play a part."""
    return tuple(role for role in ROLES if getattr(config, role).is_trained)


def _check(config: StudyConfig, trained: Sequence[Role]) -> None:
    """Refuse a search that was asked for by name and cannot be made."""
    if config.rates != "search":
        return
    if config.given_labels:
        raise UserError(
            "A search for rates learns the supervisor's ground truth, and this study is given "
            "weak labels in its place: leave `rates: search` (--rates) out, or give rates."
        )
    if all(_gives(_training(config, role)) for role in trained):
        of = "both models" if trained == ROLES else "all that is trained"
        raise UserError(
            f"The study gives learning rates for {of} and asks for a search for them "
            "(`rates: search`, --rates): leave one of them out."
        )


def _is_open(config: StudyConfig, role: Role) -> bool:
    """Whether rule or search decide the rates of a model, and no one else."""
    model: ModelSpec = getattr(config, role)
    known = fitted_rates(model) or is_given(model)
    if _gives(_training(config, role)) or (config.rates == "auto" and known):
        return False
    return role == "strong" or has_supervisor(config) or config.rates == "rule"


def _settled(config: StudyConfig, role: Role) -> Choice:
    """The choice where nothing is open."""
    model, training = getattr(config, role), _training(config, role)
    fitted = fitted_rates(model)
    if not _gives(training):
        return Choice(role, model.name, "fitted" if fitted else "rule")
    given = training.with_rates((0.0, 0.0))
    is_fitted = fitted == (given.learning_rate, given.head_rate)
    return Choice(role, model.name, "fitted" if is_fitted else "given")


def has_supervisor(config: StudyConfig) -> bool:
    """Whether a weak model answers: labels are neither given nor simulated without it."""
    if config.given_labels:
        return False
    annotated = config.data.weak_label_columns
    if config.simulated is None or (config.simulated_accuracy is None and not annotated):
        return True
    return "supervisor" in SIMULATORS.get(config.simulated).needs


def searched_roles(config: StudyConfig) -> tuple[Role, ...]:
    """The models of a settled study whose rates a search finds (see `resolve.settle`)."""
    return tuple(role for role in trained_roles(config) if not _gives(_training(config, role)))


def _training(config: StudyConfig, role: Role) -> Training:
    return config.weak_training if role == "weak" else config.strong_training


def _gives(training: Training) -> bool:
    return training.learning_rate is not None or training.head_rate is not None


def lattice_of(kind: Kind, adaptation: str | None) -> Lattice:
    """Which rates a model has for a kind of task: a language model has no head of ours."""
    return Lattice(trunk=adaptation != "head", head=kind != "generation")


def search_share(
    config: StudyConfig,
    roles: Sequence[Role],
    weights: Mapping[Role, Weight],
    amounts: Sequence[Amount],
) -> float | None:
    """Operations of the searches in units of those of the study without them; None if not known.

    The study's are those of its supervisors and ceilings and of one finetuning for each student;
    what is only read is left out of both.
    """
    search = study = 0.0
    for amount in amounts:
        if amount.weak_train is None or amount.strong_train is None:
            return None
        for role, weight in weights.items():
            training = _training(config, role)
            if weight.multiplied is None:
                return None
            if role in roles:
                tried = passes(
                    lattice_of(amount.kind, weight.adaptation), training, amount.weak_train
                )
                search += sum(_operations(weight, amount.weak_train, n) for n in tried)
            if role == "strong" or (config.weak.is_trained and has_supervisor(config)):
                examples = amount.weak_train if role == "weak" else amount.strong_train
                once = training.steps_on(examples) * training.batch
                times = config.seeds * (1 if role == "weak" else 1 + len(config.methods))
                study += times * _operations(weight, examples, once)
    return search / study


def _operations(weight: Weight, examples: int, passed: int) -> float:
    """Of one finetuning: a frozen trunk reads each example once, whatever the steps."""
    from weak2strong.models.guess import FORWARD, TRAINING

    if weight.adaptation == "head":
        return FORWARD * (weight.multiplied or 0) * examples
    return TRAINING[weight.adaptation or "full"] * (weight.multiplied or 0) * passed
