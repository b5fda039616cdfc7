"""The methods in the terminal: all of them in a few tables, or one of them in full."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from weak2strong.losses import LOSSES
from weak2strong.methods import METHODS
from weak2strong.methods.method import NEEDS, Method
from weak2strong.methods.reference import names_in
from weak2strong.probes import PROBES
from weak2strong.report.table import column_table

if TYPE_CHECKING:
    from rich.console import Console

STEPS = "Steps before a method: STEP+METHOD puts one first, and a step alone ends with naive."
ORACLES = "Oracles are told ground truth: upper bounds, by name only, and not part of all."
MORE = "`w2s methods NAME` shows one with its settings; NAME:SETTING=VALUE,... changes them."

NAMES, NEEDED = 29, 17
"""Widths of the first column and the last, so that the tables stand under each other."""


def print_methods(console: Console) -> None:
    """Print methods, steps, oracles and probes, with source and needs, a line or two each."""
    methods = [METHODS.get(name) for name in METHODS]
    _print_some(console, "method", [m for m in methods if not (m.prepares or m.oracle)])
    _say(console, "", STEPS)
    _print_some(console, "step", [m for m in methods if m.prepares and not m.oracle])
    _say(console, "", ORACLES)
    _print_some(console, "oracle", [m for m in methods if m.oracle])
    _say(console, "", "Probes, for probe-predict, probe-filter and probe-relabel.")
    rows = []
    for name in PROBES:
        kind = PROBES.get(name)
        about = kind.summary if kind.predicts else f"{kind.summary}; for probe-filter alone"
        rows.append((name, about, kind.source, _written(_usual(kind), ", ")))
    _print_rows(console, ("probe", "settings"), rows)
    asked = dict.fromkeys(need for m in methods for need in m.needs if need != "truth")
    _say(console, "", *(f"{need}: {NEEDS[need]}." for need in asked), MORE)


def print_method(name: str, console: Console) -> None:
    """Print what a method does, its settings, needs, and how it goes with others.

    Args:
        name: of a method, or a reference with several, of which each is printed.
        console: where to.

    Raises:
        UserError: for an unknown name.
    """
    for part in names_in(name):
        _print_one(METHODS.get(part), console)


def _print_some(console: Console, title: str, methods: Sequence[Method]) -> None:
    rows = []
    for m in methods:
        needs = [need for need in m.needs if need != "truth"]
        needs += [f"{m.classes} classes"] if m.classes else []
        names = "\n".join(name + "+..." * m.prepares for name in m.variants or (m.name,))
        rows.append((names, m.summary, m.source, ", ".join(needs)))
    _print_rows(console, (title, "needs"), rows)


def _print_rows(
    console: Console, ends: tuple[str, str], rows: Sequence[tuple[str, str, str, str]]
) -> None:
    """Print name, what it does and under it the source, and a last column; alike in all tables."""
    from rich.text import Text

    table = column_table((ends[0], "what it does, and its source", ends[1]), "lll", wraps="l")
    first, _, last = table.columns
    first.no_wrap, first.min_width, last.width = True, NAMES, NEEDED
    for name, summary, source, rest in rows:
        about = Text(summary)
        if source:
            about.append(f"\n{source}", style="dim")
        # As text: what a plugin writes is no markup.
        table.add_row(Text(name), about, Text(rest))
    console.print(table)


def _print_one(method: Method, console: Console) -> None:
    kind = LOSSES.get(method.loss) if method.loss else None
    about, docs = (kind, _field_docs(kind)) if kind else (method.run, {})
    name, options = method.name, method.options
    console.rule(f"[bold]{name}", align="left", characters="─")
    _say(console, method.summary + ".", f"Source: {method.source}." if method.source else "")
    if origin := METHODS.origin(name):
        _say(console, f"From {origin}.")
    _say(console, "", inspect.cleandoc(about.__doc__ or ""), "")
    if options:
        _say(console, f"Settings, as in {name}:{_written(dict([next(iter(options.items()))]))}")
        _print_settings(console, options, docs)
    else:
        _say(console, "It has no settings.")
    for probe in PROBES if method.takes_more else ():
        settings = _usual(PROBES.get(probe))
        _say(console, f"and for {name}:{probe}" + ("" if settings else " none"))
        _print_settings(console, settings, _field_docs(PROBES.get(probe)))
    for need in method.needs:
        _say(console, f"Needs {NEEDS[need]}.")
    if method.classes:
        _say(console, f"Only for tasks with {method.classes} classes.")
    if method.oracle:
        _say(console, "It is no part of `--methods all`: name it.")
    if method.prepares:
        _say(console, f"A step: {name}+METHOD puts it before another, {name} alone before naive.")
    else:
        _say(console, f"STEP+{name} puts a step before it.")
    _say(console, "")


def _print_settings(console: Console, settings: Mapping[str, Any], docs: Mapping[str, str]) -> None:
    from rich.text import Text

    table = column_table(("", "", ""), "lll", wraps="l")
    table.show_header, table.columns[0].no_wrap = False, True
    for name, value in settings.items():
        table.add_row(f"  {name}", Text(_value(value)), Text(docs.get(name, "")))
    console.print(table)


def _usual(kind: type) -> Mapping[str, Any]:
    """The settings of a dataclass with their usual values."""
    known = fields(kind)  # pyright: ignore[reportArgumentType]
    return {f.name: None if f.default is MISSING else f.default for f in known}


def _written(settings: Mapping[str, Any], between: str = ",") -> str:
    return between.join(f"{name}={_value(value)}" for name, value in settings.items())


def _value(value: Any) -> str:
    """A usual value as a user would write it; three dots for one that there is not."""
    return "..." if value is None else value if isinstance(value, str) else json.dumps(value)


def _field_docs(kind: type) -> Mapping[str, str]:
    """The texts below the fields of a dataclass; none where its source cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        return {}
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
