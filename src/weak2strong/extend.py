"""Decorators that put a user's own probe or task beside ours (see also `methods.decorators`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import origin_of
from weak2strong.methods.decorators import check_class, first_sentence, refuse_if
from weak2strong.probes import PROBES
from weak2strong.tasks import GROUPS, SOURCES, TASKS
from weak2strong.tasks.task import TEXTS, Example, Kind, Shares, Task

Class = TypeVar("Class", bound=type)
Load = TypeVar("Load", bound=Callable[[], Sequence[Example]])


def probe(name: str, summary: str = "", source: str = "") -> Callable[[Class], Class]:
    """Register a frozen dataclass as a probe (see `weak2strong.probes.Probe`).

    ``probe-predict:NAME``, ``probe-filter:NAME`` and ``probe-relabel:NAME`` then use it.

    Raises:
        UserError: for a name that is taken, or a class that is no such dataclass.
    """

    def register(kind: Class) -> Class:
        check_class("probe", name, kind, ("predicts", "predict", "keep"), "Answering")
        for attribute, text in (("summary", summary or first_sentence(kind)), ("source", source)):
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
        if name in SOURCES:
            refuse_if("task", name, True, f"which is {SOURCES.get(name).sort}")
        refuse_if("task", name, name in GROUPS, "which stands for several tasks")
        made = Task(
            name=name,
            kind=kind,
            classes=tuple(classes),
            summary=summary or first_sentence(load),
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
