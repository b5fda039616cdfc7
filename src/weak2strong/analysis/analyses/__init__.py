"""Analyses of finished runs: one file each, which computes rows and says what table they make.

A file in this package is found by listing it. An analysis of a user's own stands in a plugin; the
decorator `analysis` is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeVar

from weak2strong.ground.plugin_faults import check_returns, fault_in, form_of
from weak2strong.ground.plugins import digest_of, origin_of
from weak2strong.ground.registry import Registry
from weak2strong.ground.table import Column, Row, Table

if TYPE_CHECKING:
    from weak2strong.analysis.tested import TestedRun

Rows = Callable[["TestedRun"], Iterable[Row]]

AnyRows = TypeVar("AnyRows", bound=Rows)

ANALYSES = Registry("analysis", {})


@dataclass(frozen=True)
class Analysis:
    """An analysis: how its rows are computed, and the table that people read of them.

    Attributes:
        name: in JSON; the same with underscores is the name of the file.
        about: what a row of the file is.
        rows: the function of a run; each row has the fields ``task`` (but where it is about all of
            them) and, where it is about a student, ``method``. A row with ``role`` and ``method``
            is about floor, student or ceiling.
        title: above the table; ``{metric}`` stands for what answers are scored by.
        columns: after those that say which task, run and method a row is about. Without any, the
            rows are only written to the file.
        notes: beneath the table; or a function of all rows.
        across: the field whose values become columns: rows that differ in it alone become one,
            where the field ``x`` is ``x_VALUE`` (see `field_of`); or a function that tells the
            value.
        averaged: whether of many tasks the means are shown.
        together: whether the table is shown of several runs, too.
        lacks: sentences about what a run lacks for this.
        tables: further tables of a single run.
    """

    name: str
    about: str
    rows: Rows
    title: str = ""
    columns: Sequence[Column] = ()
    notes: Sequence[str] | Callable[[Sequence[Row]], Sequence[str]] = ()
    across: str | Callable[[Row], str] = ""
    averaged: bool = False
    together: bool = False
    lacks: Callable[[TestedRun], Iterable[str]] = lambda run: ()
    tables: Callable[[TestedRun], Iterable[Table]] = lambda run: ()

    def made(self, run: TestedRun) -> list[Row]:
        """The rows of a run.

        Raises:
            PluginError: where the function gives something else.
        """
        made: Any = self.rows(run)
        made = list(made) if isinstance(made, Iterable) and not isinstance(made, str) else [made]
        for row in made:
            if not isinstance(row, Mapping):
                raise fault_in(self.rows, f"it gives {form_of(row)} where a row was asked for")
        return made

    @property
    def file(self) -> str:
        """The name of the file of its rows, without the ending."""
        return self.name.replace("-", "_")


def analysis(name: str, about: str, **more: Any) -> Callable[[AnyRows], AnyRows]:
    """Register a function of a run as an analysis.

    Args:
        name: lower-case letters and hyphens.
        about: what a row is.
        **more: further attributes of `Analysis`.

    Raises:
        UserError: for a name that is taken.
    """

    def register(rows: AnyRows) -> AnyRows:
        check_returns("analysis", name, rows, rows=True)
        own = digest_of(rows) is None
        origin = rows.__module__ if own else origin_of(rows)
        ANALYSES.add(name, Analysis(name, about, rows, **more), origin)
        return rows

    return register


def field_of(value: object) -> str:
    """A value as a part of a field's name: ``ft(weak)+lp(gt)`` is ``ft_weak_lp_gt``."""
    return re.sub(r"\W+", "_", str(value)).strip("_")


def every_analysis() -> list[Analysis]:
    """The analyses in this package, by file, and then those of plugins."""
    own = [f"{__name__}.{module.name}" for module in iter_modules(__path__)]
    for module in own:
        import_module(module)
    # Whichever module was imported first: the order is that of the list.
    place = {module: i for i, module in enumerate(own)}
    names = sorted(ANALYSES, key=lambda name: place.get(ANALYSES.origin(name) or "", len(own)))
    return [ANALYSES.get(name) for name in names]
