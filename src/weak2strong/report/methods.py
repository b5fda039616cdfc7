"""The methods: all of them in a few tables, or one of them in full."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import Any

from weak2strong.ground.table import Column, Document, Row, Table, words
from weak2strong.losses import LOSSES
from weak2strong.methods import METHODS
from weak2strong.methods.method import NEEDS, Method
from weak2strong.methods.reference import names_in
from weak2strong.probes import PROBES

STEPS = "Steps before a method: STEP+METHOD puts one first, and a step alone ends with naive."
ORACLES = "Oracles are told ground truth: upper bounds, by name only, and not part of all."
EXAMPLE = '''"""A method of your own to begin with: change it, and run it beside others.

    w2s run --plugin {file} --methods naive mine mine:rounds=2

What a context offers, and how steps, losses, probes and tasks are added: docs/extending.md.
"""

import weak2strong as w2s


@w2s.method("mine", source="ours")
def mine(context: w2s.Context, *, rounds: int = 1):
    """A student learns what students before it say of the texts."""
    labels = context.weak_labels
    for _ in range(rounds):
        found = context.finetune(labels)
        labels = w2s.joined(found["strong_train"], found["validation"])
    return context.finetune(labels)
'''
"""A plugin that runs as it stands; the name of its file goes into it."""

MORE = "`w2s methods NAME` shows one with its settings; NAME:SETTING=VALUE,... changes them."


def methods_document() -> Document:
    """Methods, steps, oracles and probes, with source and needs, a row each."""
    methods = [METHODS.get(name) for name in METHODS]
    parts = [
        ("method", "", [m for m in methods if not (m.prepares or m.oracle)]),
        ("step", STEPS, [m for m in methods if m.prepares and not m.oracle]),
        ("oracle", ORACLES, [m for m in methods if m.oracle]),
    ]
    tables = [
        Table(
            f"{what}s",
            title,
            _columns(what, Column("needs", "needs", _needs, "left")),
            [*map(_row, of)],
        )
        for what, title, of in parts
    ]
    every = dict.fromkeys(need for m in methods for need in m.needs if need != "truth")
    notes = [*(f"{need}: {NEEDS[need]}." for need in every), MORE]
    return Document([*tables, _probes()], notes=notes)


def _columns(what: str, last: Column) -> list[Column]:
    """Name, what it does and under it the source, and a last column; alike in all tables."""
    about = Column("summary", "what it does, and its source", _about, "left", wraps=True)
    return [Column("name", what, _names, "left"), about, last]


def _row(method: Method) -> dict[str, Any]:
    """What is known of a method, as raw values."""
    same = ("name", "variants", "summary", "source", "needs", "classes", "prepares", "oracle")
    return {n: getattr(method, n) for n in same} | {"settings": dict(method.options)}


def _names(row: Row) -> str:
    """A line for each of the references to a method."""
    return "\n".join(
        name + "+..." * row.get("prepares", False) for name in row["variants"] or (row["name"],)
    )


def _about(row: Row) -> str:
    return f"{row['summary']}\n{row['source']}".strip()


def _needs(row: Row) -> str:
    needs = [need for need in row["needs"] if need != "truth"]
    return ", ".join(needs + ([f"{row['classes']} classes"] if row["classes"] else []))


def _probes() -> Table:
    """The probes, with the usual values of their settings."""
    rows = []
    for name in PROBES:
        kind = PROBES.get(name)
        about = kind.summary if kind.predicts else f"{kind.summary}; for probe-filter alone"
        row = {"name": name, "variants": (), "summary": about, "source": kind.source}
        rows.append(row | {"settings": _usual(kind)})
    last = Column("settings", "settings", lambda row: _written(row["settings"], ", "), "left")
    title = "Probes, for probe-predict, probe-filter and probe-relabel."
    return Table("probes", title, _columns("probe", last), rows)


def method_documents(reference: str) -> list[Document]:
    """What methods do, their settings, needs, and how they go with others.

    Args:
        reference: to a method, or to a step and a method, a document each.

    Raises:
        UserError: for an unknown name.
    """
    return [_document(METHODS.get(name)) for name in names_in(reference)]


def _document(method: Method) -> Document:
    """All that there is to know of one method."""
    kind = LOSSES.get(method.loss) if method.loss else None
    about, docs = (kind, _field_docs(kind)) if kind else (method.run, {})
    name, options, origin = method.name, method.options, METHODS.origin(method.name)
    text = inspect.cleandoc(about.__doc__ or "")
    head = [
        f"{name} {'─' * (78 - len(name))}",
        method.summary + ".",
        *([f"Source: {method.source}."] if method.source else []),
        *([f"From {origin}."] if origin else []),
        f"\n{text}",
        *([] if options else ["\nIt has no settings."]),
    ]
    tables = []
    if options:
        first = dict([next(iter(options.items()))])
        tables.append(_settings(f"Settings, as in {name}:{_written(first)}", name, options, docs))
    for probe in PROBES if method.takes_more else ():
        of = PROBES.get(probe)
        settings = _usual(of)
        title = f"and for {name}:{probe}" + ("" if settings else " none")
        tables.append(_settings(title, f"{name}:{probe}", settings, _field_docs(of)))
    facts = {"methods": [_row(method) | {"origin": origin, "text": text}]}
    return Document(tables, facts, head, [*_uses(method), ""])


def _uses(method: Method) -> list[str]:
    """What a method needs, and how it goes with others."""
    name, notes = method.name, [f"Needs {NEEDS[need]}." for need in method.needs]
    if method.classes:
        notes.append(f"Only for tasks with {method.classes} classes.")
    if method.no_truth_with:
        named = f"{name}:{_written(method.no_truth_with)}"
        notes.append(f"As {named} it sees no ground truth, and its result is no upper bound.")
    if method.oracle:
        notes.append("It is no part of `--methods all`: name it.")
    if method.prepares:
        notes.append(f"A step: {name}+METHOD puts it before another, {name} alone before naive.")
    else:
        notes.append(f"STEP+{name} puts a step before it.")
    return notes


def _settings(
    title: str, reference: str, settings: Mapping[str, Any], docs: Mapping[str, str]
) -> Table:
    """A row a setting, with its usual value and what it is."""
    columns = [
        Column("setting", "", lambda row: f"  {row['setting']}", "left"),
        Column("usual", "", lambda row: _value(row["usual"]), "left"),
        words("about", "", wraps=True),
    ]
    rows = [
        {"reference": reference, "setting": name, "usual": value, "about": docs.get(name, "")}
        for name, value in settings.items()
    ]
    return Table("settings", title, columns, rows)


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
