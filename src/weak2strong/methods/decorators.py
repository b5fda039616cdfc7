"""The decorators that make a function a method, and a dataclass a loss: for our own and a user's.

A user's own belong into a file that is named by ``--plugin``, into a package with an entry point
in the group ``weak2strong.plugins``, or into a script or notebook that runs a `Study`.
`docs/extending.md` has a worked example.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from weak2strong.ground.errors import UserError
from weak2strong.ground.plugin_faults import check_returns
from weak2strong.ground.plugins import check_class, first_sentence, origin_of
from weak2strong.methods import ALL, LOSSES, METHODS
from weak2strong.methods.finetuning import finetuning
from weak2strong.methods.method import Method

Run = TypeVar("Run", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def method(
    name: str, summary: str = "", source: str = "", **properties: Any
) -> Callable[[Run], Run]:
    """Register a function of a context as a method; its keyword-only arguments are settings.

    Args:
        name: as in ``--methods``.
        summary: one line for lists; by default the first sentence of the docstring.
        source: where the idea is from.
        **properties: those of `Method`: prepares, reads, classes, needs, no_truth_with,
            kinds, variants, check_settings, check_given, saliency, trait, uses, changes, once.

    Raises:
        UserError: for a name that is taken, a need that no study knows, or arguments that
            cannot be settings.
    """

    def register(run: Run) -> Run:
        if name == ALL:
            raise UserError(
                f"A plugin names a method {name!r}, which stands for all methods: choose another "
                "name."
            )
        check_returns("method", name, run)
        _check_settings(name, run)
        made = Method(name, summary or first_sentence(run), source, run, **properties)
        METHODS.add(name, made, origin_of(run))
        return run

    return register


def loss(
    name: str,
    summary: str = "",
    source: str = "",
    *,
    method: str | None = None,
    settings: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Callable[[Class], Class]:
    """Register a frozen dataclass as a loss (see `weak2strong.training.loss.Loss`), and as the
    method that finetunes on the weak labels with it.

    Used again above the first, it registers another method: the same loss with other settings.

    Args:
        name: of the loss.
        summary: of the method, one line for lists; by default the first sentence of the docstring.
        source: where the idea is from.
        method: its name, if it is not that of the loss.
        settings: of the loss in this method, where they are not its defaults.
        **properties: those of `Method`: classes, kinds, same_gradient_as, saliency.

    Raises:
        UserError: for a name that is taken, or a class that is no such dataclass.
    """

    def register(kind: Class) -> Class:
        check_class("loss", name, kind, ("needs_batch", "statistics", "per_example"), "RowLoss")
        check_returns("loss", name, kind.per_example)
        line = summary or first_sentence(kind)
        made = finetuning(method or name, line, source, name, settings, **properties)
        METHODS.add(made.name, made, origin_of(kind))
        LOSSES.add(name, kind, origin_of(kind))
        return kind

    return register


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
