"""Which methods a study can provide for, and what the others lack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.methods import GROUPS
from weak2strong.methods.method import NEEDS, Given, Method, Need
from weak2strong.methods.reference import find_method
from weak2strong.models.configuration import is_decoder, load_config
from weak2strong.models.folders import rungs
from weak2strong.models.reads import reads_words
from weak2strong.tasks.task import Item

LeftOut = Mapping[str, Mapping[str, str]]
"""Why methods are left out, by the name that stands for several (``all``) and by reference."""


def decodes(model: ModelSpec) -> bool:
    """Whether a model is a decoder, by its configuration.

    Raises:
        UserError: where that cannot be read.
    """
    if not reads_words(model):
        return False
    return is_decoder(load_config(model), model.trust_remote_code)


def intermediates_of(config: StudyConfig) -> tuple[ModelSpec, ...]:
    """The intermediates that were named, or the rungs between two rungs."""
    if config.intermediates is not None:
        return config.intermediates
    known, ends = rungs(), (config.weak.name, config.strong.name)
    if config.given_labels or not set(ends) <= set(known):
        return ()
    first, last = map(known.index, ends)
    return tuple(
        ModelSpec(name, precision=config.strong.precision) for name in known[first + 1 : last]
    )


def provided(
    config: StudyConfig,
    tasks: Mapping[str, tuple[str, int]],
    decodes: Callable[[ModelSpec], bool] = decodes,
    given: Callable[[str], Sequence[Given]] = lambda task: (),
) -> tuple[tuple[str, ...], LeftOut]:
    """The methods of a study, with names of several written out as far as it can provide for them.

    Args:
        config: the study.
        tasks: kinds and numbers of classes by name.
        decodes: whether a model is a decoder.
        given: what a task gives to methods, by its name and for each of its splits.

    Returns:
        References of methods, and why others are left out.

    Raises:
        UserError: for a method that was named and cannot be provided for.
    """
    found, left = list[str](), dict[str, dict[str, str]]()
    for name in config.methods:
        for reference in GROUPS[name]() if name in GROUPS else (name,):
            method, short = find_method(reference), None
            reason = _lack(config, method, tasks, decodes)
            if reason is None:
                reason = short = _too_little(method, tasks, given)
            if reason is None:
                found.append(reference)
            elif name in GROUPS:
                left.setdefault(name, {})[reference] = f"{reason}."
            elif short:
                raise UserError(f"{short}.")
            else:
                raise UserError(f"{reason}: leave the method out (`w2s methods` lists the others).")
    if not found:
        reasons = " ".join(dict.fromkeys(r for several in left.values() for r in several.values()))
        raise UserError(f"No method is left to run. {reasons}")
    return tuple(dict.fromkeys(found)), left


def _lack(
    config: StudyConfig,
    method: Method,
    tasks: Mapping[str, tuple[str, int]],
    decodes: Callable[[ModelSpec], bool],
) -> str | None:
    """What the study does not have for a method, as a sentence without its end; None if it has
    all."""
    for name, (kind, classes) in tasks.items():
        try:
            method.check_kind(kind, f"task {name}")
            method.check(classes, f"task {name}")
        except UserError as e:
            return str(e).partition(": leave the method out")[0]
    missing = next(_missing(config, method.needs, decodes), None)
    if missing is None:
        return None
    need, why = missing
    return f"The method {method.name!r} needs {NEEDS[need]}, and {why}"


def _too_little(
    method: Method, tasks: Iterable[str], given: Callable[[str], Sequence[Given]]
) -> str | None:
    """What of a task's data is too little for a method, as a sentence without its end; None if
    there is enough."""
    check = method.check_given
    if check is None:
        return None
    for name in tasks:
        for one in given(name):
            try:
                check(one)
            except UserError as e:
                said = str(e).rstrip(".")
                return (
                    f"Task {name} has too little data for the method {method.name!r}; "
                    f"{said[0].lower()}{said[1:]}"
                )
    return None


def _missing(
    config: StudyConfig, needs: Sequence[Need], decodes: Callable[[ModelSpec], bool]
) -> Iterator[tuple[Need, str]]:
    strong = config.strong
    if "decoder" in needs and not decodes(strong):
        yield "decoder", f"{strong.name} is none"
    if "trunk" in needs and strong.adaptation == "head":
        yield "trunk", "here only the head is (--strong-adaptation head)"
    if "intermediates" in needs and not intermediates_of(config):
        yield "intermediates", f"there is none between {config.weak_name} and {strong.name}"
    if "supervisor" in needs and (config.given_labels or config.simulated):
        yield "supervisor", f"the labels come from {config.weak_name}"
    if "supervisor" in needs and not config.weak.is_trained and not config.supervisors:
        yield "supervisor", "one of neighbours is the same for every seed (--weak-adaptation knn)"
    if "stopping" in needs and config.strong_training.stopping == "none":
        yield "stopping", "here the last weights are kept (--stopping none)"


def check_pairs(method: Method, task: str, items: Iterable[Item]) -> None:
    """Refuse items of which none says the same as another one, or the opposite.

    Raises:
        UserError: where the method needs such, and there are none.
    """
    if "pairs" in method.needs and not any(item.pair for item in items):
        raise UserError(
            f"Task {task} has no texts that say the same or the opposite of each other, which the "
            f"method {method.name!r} needs: leave the method out, or take data with a column pair."
        )
