"""The decorator that puts a user's own probe beside ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from weak2strong.ground.plugin_faults import check_returns
from weak2strong.ground.plugins import check_class, first_sentence, origin_of
from weak2strong.probes import PROBES

Class = TypeVar("Class", bound=type)


def probe(name: str, summary: str = "", source: str = "") -> Callable[[Class], Class]:
    """Register a frozen dataclass as a probe (see `weak2strong.probes.Probe`).

    ``probe-predict:NAME``, ``probe-filter:NAME`` and ``probe-relabel:NAME`` then use it.

    Raises:
        UserError: for a name that is taken, or a class that is no such dataclass.
    """

    def register(kind: Class) -> Class:
        check_class("probe", name, kind, ("predicts", "predict", "keep"), "Answering")
        check_returns("probe", name, kind.predict)
        for attribute, text in (("summary", summary or first_sentence(kind)), ("source", source)):
            if not hasattr(kind, attribute):
                setattr(kind, attribute, text)
        PROBES.add(name, kind, origin_of(kind))
        return kind

    return register
