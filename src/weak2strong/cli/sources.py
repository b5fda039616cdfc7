"""The flags about single sources of tasks, one for every option that a source brings along."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import Field, field, fields, make_dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from tyro.conf import arg

from weak2strong.config.data import DataOptions
from weak2strong.ground.rooms import OPTIONS


def changed(before: DataOptions, flags: Any) -> dict[str, Any]:
    """Options of sources by name, with those that were given as flags (an object of `Sources`)."""
    return {
        name: replace(
            getattr(before, name), **{k: v for k, v in vars(given).items() if v is not None}
        )
        for name, given in vars(flags).items()
    }


def _flags(kind: type) -> type:
    """A dataclass with a flag for every field of another one; None where it is not given."""
    hints, docs = get_type_hints(kind), _field_docs(kind)
    made = []
    for f in fields(kind):
        flag = arg(
            name="games" if f.name == "games" else f"{kind.prefix}{f.name}".replace("_", "-"),
            metavar=_metavar(hints[f.name]),
            help=docs.get(f.name, ""),
            help_behavior_hint="",
        )
        made.append((f.name, Annotated[hints[f.name] | None, flag], None))
    return make_dataclass(kind.__name__, made, namespace={"__doc__": kind.__doc__}, frozen=True)


def _metavar(hint: Any) -> str:
    kinds = {kind for kind in (hint, *get_args(hint)) if kind is not type(None)}
    if get_origin(hint) is Literal:
        return "{" + ",".join(get_args(hint)) + "}"
    if get_origin(hint) is tuple:
        return "NAME ..."
    return "N" if int in kinds else "TEXT"


def _field_docs(kind: type) -> dict[str, str]:
    """The text under each field of a class, on one line."""
    module = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    (tree,) = (x for x in module.body if isinstance(x, ast.ClassDef) and x.name == kind.__name__)
    return {
        one.target.id: " ".join(inspect.cleandoc(text.value.value).split())
        for one, text in pairwise(tree.body)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def _group(kind: type) -> tuple[type, Field]:
    flags = _flags(kind)
    return flags, field(default_factory=flags)


Sources = make_dataclass(
    "Sources", [(name, *_group(OPTIONS.get(name))) for name in OPTIONS], frozen=True
)
"""For every source with options, its flags."""
