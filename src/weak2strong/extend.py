"""Decorators that put a user's own method, loss, probe or task beside ours.

They belong into a file that is named by ``--plugin``, or into a package with an
entry point in the group ``weak2strong.plugins``. `docs/extending.md` has a worked example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from weak2strong.losses import LOSSES
from weak2strong.methods import METHODS
from weak2strong.methods.finetuning import finetuning
from weak2strong.methods.method import PROBABILISTIC, Method, Need
from weak2strong.plugins import file_of
from weak2strong.probes import PROBES
from weak2strong.tasks import TASKS
from weak2strong.tasks.task import Example, Shares, Task
from weak2strong.tasks.task import Kind as TaskKind

Run = TypeVar("Run", bound=Callable[..., Any])
Kind = TypeVar("Kind", bound=type)
Load = TypeVar("Load", bound=Callable[[], Sequence[Example]])


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
        summary: one line for lists; by default the first one of the docstring.
        source: where the idea is from.
        prepares: the function returns a changed context, in which another method follows.
        classes: the one number of classes it is for; None for any.
        needs: what a study may be unable to provide (see `weak2strong.methods.method.NEEDS`).
        kinds: of the tasks it is for; add "generation" where labels may be texts.
    """

    def register(run: Run) -> Run:
        line = summary or _first_line(run)
        made = Method(name, line, source, run, prepares, classes, tuple(needs), kinds=tuple(kinds))
        METHODS.add(name, made, file_of(run))
        return run

    return register


def loss(name: str, summary: str = "", source: str = "") -> Callable[[Kind], Kind]:
    """Register a frozen dataclass as a loss (see `weak2strong.losses.Loss`), and as the method
    of the same name that finetunes on the weak labels with it.
    """

    def register(kind: Kind) -> Kind:
        line = summary or _first_line(kind)
        LOSSES.add(name, kind, file_of(kind))
        METHODS.add(name, finetuning(name, line, source, name), file_of(kind))
        return kind

    return register


def probe(name: str) -> Callable[[Kind], Kind]:
    """Register a frozen dataclass as a probe (see `weak2strong.probes.Probe`).

    ``probe-predict:NAME``, ``probe-filter:NAME`` and ``probe-relabel:NAME`` then use it.
    """

    def register(kind: Kind) -> Kind:
        PROBES.add(name, kind, file_of(kind))
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
    kind: TaskKind = "classification",
    metric: str | None = None,
) -> Callable[[Load], Load]:
    """Register a function that makes examples, the same ones at every call, as a task.

    Args:
        name: as in ``--task``.
        classes: their names, in the order of the label indices; none of a generation.
        summary: one line for lists; by default the first one of the docstring.
        source: where the examples come from.
        licence: of the data.
        shares: sizes of the splits.
        given: the split of every example by id, in place of shares.
        kind: what sort of answer it has.
        metric: what it is usually scored by; the usual one of its kind if None.
    """

    def register(load: Load) -> Load:
        line = summary or _first_line(load)
        made = Task(
            name=name,
            kind=kind,
            classes=tuple(classes),
            summary=line,
            source=source,
            licence=licence,
            load=load,
            shares=shares or Shares(),
            given=given,
            metric=metric,
        )
        TASKS.add(name, made, file_of(load))
        return load

    return register


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0].rstrip(".")
