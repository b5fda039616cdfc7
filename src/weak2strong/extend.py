"""Decorators that put a user's own method, loss, probe or task beside ours.

They belong into a file that is named by ``--plugin``, into a package with an entry point
in the group ``weak2strong.plugins``, or into a script or notebook that runs a `Study`.
`docs/extending.md` has a worked example.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, TypeVar

from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import origin_of
from weak2strong.losses import LOSSES
from weak2strong.methods import ALL, METHODS
from weak2strong.methods.finetuning import finetuning
from weak2strong.methods.method import PROBABILISTIC, Method, Need
from weak2strong.probes import PROBES
from weak2strong.subjects.literature import DATASETS
from weak2strong.tasks import GROUPS, TASKS
from weak2strong.tasks.task import TEXTS, Example, Kind, Shares, Task

Run = TypeVar("Run", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)
Load = TypeVar("Load", bound=Callable[[], Sequence[Example]])

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def method(
    name: str,
    summary: str = "",
    source: str = "",
    *,
    prepares: bool = False,
    classes: int | None = None,
    needs: Sequence[Need] = (),
    kinds: Sequence[str] = PROBABILISTIC,
) -> Callable[[Run], Run]:
    """Register a function of a context as a method; its keyword-only arguments are settings.

    Args:
        name: as in ``--methods``.
        summary: one line for lists; by default the first sentence of the docstring.
        source: where the idea is from.
        prepares: the function returns a changed context, in which another method follows.
        classes: the one number of classes it is for; None for any.
        needs: what a study may be unable to provide (see `weak2strong.methods.method.NEEDS`).
        kinds: of the tasks it is for; add "generation" where labels may be texts.

    Raises:
        UserError: for a name that is taken, a need that no study knows, or arguments that
            cannot be settings.
    """

    def register(run: Run) -> Run:
        _refuse("method", name, name == ALL, "which stands for all methods")
        _check_settings(name, run)
        line, wanted = summary or _begin(run), tuple(needs)
        made = Method(name, line, source, run, prepares, classes, wanted, kinds=tuple(kinds))
        METHODS.add(name, made, origin_of(run))
        return run

    return register


def loss(name: str, summary: str = "", source: str = "") -> Callable[[Class], Class]:
    """Register a frozen dataclass as a loss (see `weak2strong.losses.Loss`), and as the method
    of the same name that finetunes on the weak labels with it.

    Raises:
        UserError: for a name that is taken, or a class that is no such dataclass.
    """

    def register(kind: Class) -> Class:
        _check_class("loss", name, kind, ("needs_batch", "statistics", "per_example"), "RowLoss")
        origin = origin_of(kind)
        METHODS.add(name, finetuning(name, summary or _begin(kind), source, name), origin)
        LOSSES.add(name, kind, origin)
        return kind

    return register


def probe(name: str, summary: str = "", source: str = "") -> Callable[[Class], Class]:
    """Register a frozen dataclass as a probe (see `weak2strong.probes.Probe`).

    ``probe-predict:NAME``, ``probe-filter:NAME`` and ``probe-relabel:NAME`` then use it.

    Raises:
        UserError: for a name that is taken, or a class that is no such dataclass.
    """

    def register(kind: Class) -> Class:
        _check_class("probe", name, kind, ("predicts", "predict", "keep"), "Answering")
        for attribute, text in (("summary", summary or _begin(kind)), ("source", source)):
            if not hasattr(kind, attribute):
                setattr(kind, attribute, text)
        PROBES.add(name, kind, origin_of(kind))
        return kind

    return register


def task(
    name: str,
    classes: Sequence[str],
    summary: str = "",
    source: str = "",
    licence: str = "",
    shares: Shares | None = None,
    given: Mapping[str, str] | None = None,
    kind: Kind = "classification",
    metric: str | None = None,
) -> Callable[[Load], Load]:
    """Register a function that makes examples, the same ones at every call, as a task.

    Args:
        name: as in ``--task``.
        classes: their names, in the order of the label indices; none of a generation.
        summary: one line for lists; by default the first sentence of the docstring.
        source: where the examples come from.
        licence: of the data.
        shares: sizes of the splits.
        given: the split of every example by id, in place of shares.
        kind: what sort of answer it has.
        metric: what it is usually scored by; the usual one of its kind if None.

    Raises:
        UserError: for a name that is taken.
    """

    def register(load: Load) -> Load:
        _refuse("task", name, name in DATASETS, "which is a dataset of the literature")
        _refuse("task", name, name in GROUPS, "which stands for several tasks")
        made = Task(
            name=name,
            kind=kind,
            classes=tuple(classes),
            summary=summary or _begin(load),
            source=source,
            licence=licence,
            load=lambda: _checked(name, kind, len(classes), load()),
            shares=shares or Shares(),
            given=given,
            metric=metric,
        )
        TASKS.add(name, made, origin_of(load))
        return load

    return register


def _refuse(what: str, name: str, taken: bool, why: str) -> None:
    if taken:
        raise UserError(f"A plugin names a {what} {name!r}, {why}: choose another name.")


def _check_settings(name: str, run: Callable[..., Any]) -> None:
    """Refuse arguments of a method that a reference could not set."""
    arguments = list(inspect.signature(run).parameters.values())
    if not arguments or arguments[0].kind not in _BY_POSITION:
        raise UserError(f"The method {name!r} is given a context: let that be its first argument.")
    for other in arguments[1:]:
        if other.kind == other.VAR_KEYWORD:
            continue
        if other.kind != other.KEYWORD_ONLY:
            raise UserError(
                f"The method {name!r} takes {other.name!r} by position, and settings have names: "
                "put a * before it in the list of arguments."
            )
        if other.default is other.empty:
            raise UserError(f"The setting {other.name!r} of the method {name!r} needs a default.")


def _check_class(
    what: str, name: str, kind: type, attributes: Sequence[str], beginning: str
) -> None:
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise UserError(
            f"The {what} {name!r} is no dataclass, whose fields would be its settings: put "
            "@dataclass(frozen=True) between its decorator and the class."
        )
    for attribute in attributes:
        if not hasattr(kind, attribute):
            raise UserError(
                f"The {what} {name!r} has no {attribute!r}: write it, or begin with "
                f"class {kind.__name__}(w2s.{beginning})."
            )


def _checked(name: str, kind: Kind, classes: int, examples: Sequence[Example]) -> Sequence[Example]:
    """The examples of a task, if that is what they are."""
    examples, ids = list(examples), set[str]()
    for place, e in enumerate(examples):
        if not isinstance(e, Example) or not _is_label(kind, classes, e.label):
            wanted = "that is a text" if kind == "generation" else f"from 0 to {classes - 1}"
            raise UserError(
                f"Task {name}: number {place} is {e!r}, and not an Example with a label {wanted}: "
                "mend the function that makes them."
            )
        if len(e.item.texts) != TEXTS[kind]:
            raise UserError(
                f"Task {name}: number {place} has {len(e.item.completions)} completions, which is "
                f"no {kind}: leave them out, or write two and kind='preference'."
            )
        if e.item.id in ids:
            raise UserError(
                f"Task {name}: two examples have the id {e.item.id!r}: tell them apart."
            )
        ids.add(e.item.id)
    return examples


def _is_label(kind: Kind, classes: int, label: object) -> bool:
    return isinstance(label, str) if kind == "generation" else label in range(classes)


def _begin(thing: Any) -> str:
    """The first sentence of a docstring; of a dataclass without one Python makes a signature."""
    text = " ".join(inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0].split())
    if text.startswith(f"{thing.__name__}("):
        return ""
    return text.partition(". ")[0].rstrip(".")
