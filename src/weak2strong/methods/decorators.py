"""The decorators that make a function a method, and a dataclass a loss: for our own and a user's.

A user's own belong into a file that is named by ``--plugin``, into a package with an entry point
in the group ``weak2strong.plugins``, or into a script or notebook that runs a `Study`.
`docs/extending.md` has a worked example.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from typing import Any, TypeVar

from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import first_sentence, origin_of
from weak2strong.methods import ALL, LOSSES, METHODS
from weak2strong.methods.finetuning import finetuning
from weak2strong.methods.method import PROBABILISTIC, Method, Need, Saliency

Run = TypeVar("Run", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def method(
    name: str,
    summary: str = "",
    source: str = "",
    *,
    prepares: bool = False,
    reads: bool = False,
    classes: int | None = None,
    needs: Sequence[Need] = (),
    kinds: Sequence[str] = PROBABILISTIC,
    variants: Sequence[str] = (),
    check_settings: Callable[..., object] | None = None,
    saliency: Saliency | None = None,
) -> Callable[[Run], Run]:
    """Register a function of a context as a method; its keyword-only arguments are settings.

    Args:
        name: as in ``--methods``.
        summary: one line for lists; by default the first sentence of the docstring.
        source: where the idea is from.
        prepares: the function returns a changed context, in which another method follows.
        reads: the function finetunes the student on texts without labels, so that the ceiling
            of its students is one that has read them too.
        classes: the one number of classes it is for; None for any.
        needs: what a study may be unable to provide (see `weak2strong.methods.method.NEEDS`).
        kinds: of the tasks it is for; add "generation" where labels may be texts.
        variants: the references under which ``all`` has it, if not under its name.
        check_settings: raises UserError for settings that the function would refuse.
        saliency: the bar of the saliency figure that its students are (see `Method`).

    Raises:
        UserError: for a name that is taken, a need that no study knows, or arguments that
            cannot be settings.
    """

    def register(run: Run) -> Run:
        refuse_if("method", name, name == ALL, "which stands for all methods")
        _check_settings(name, run)
        made = Method(
            name=name,
            summary=summary or first_sentence(run),
            source=source,
            run=run,
            prepares=prepares,
            reads=reads,
            classes=classes,
            needs=tuple(needs),
            kinds=tuple(kinds),
            variants=tuple(variants),
            check_settings=check_settings,
            saliency=saliency,
        )
        METHODS.add(name, made, origin_of(run))
        return run

    return register


def loss(
    name: str,
    summary: str = "",
    source: str = "",
    *,
    method: str | None = None,
    classes: int | None = None,
    kinds: Sequence[str] = PROBABILISTIC,
    same_gradient_as: str | None = None,
    saliency: Saliency | None = None,
) -> Callable[[Class], Class]:
    """Register a frozen dataclass as a loss (see `weak2strong.training.loss.Loss`), and as the
    method that finetunes on the weak labels with it.

    Args:
        name: of the loss.
        summary: of the method, one line for lists; by default the first sentence of the docstring.
        source: where the idea is from.
        method: its name, if it is not that of the loss.
        classes: the one number of classes that the loss is for; None for any.
        kinds: of the tasks that it is for.
        same_gradient_as: the method whose loss has the same gradient, up to a factor; comparisons
            count the two once.
        saliency: the bar of the saliency figure that the method's students are (see `Method`).

    Raises:
        UserError: for a name that is taken, or a class that is no such dataclass.
    """

    def register(kind: Class) -> Class:
        check_class("loss", name, kind, ("needs_batch", "statistics", "per_example"), "RowLoss")
        made = finetuning(
            method or name,
            summary or first_sentence(kind),
            source,
            name,
            classes=classes,
            kinds=tuple(kinds),
            same_gradient_as=same_gradient_as,
            saliency=saliency,
        )
        METHODS.add(made.name, made, origin_of(kind))
        LOSSES.add(name, kind, origin_of(kind))
        return kind

    return register


def refuse_if(what: str, name: str, taken: bool, why: str) -> None:
    """Refuse a name that a plugin must not take."""
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


def check_class(
    what: str, name: str, kind: type, attributes: Sequence[str], beginning: str
) -> None:
    """Refuse a class that is no dataclass, or that lacks an attribute of the contract."""
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
