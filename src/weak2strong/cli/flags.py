"""Flags that are made of settings: each has the name, type, default and help text of its setting.

A made class is a frozen dataclass with a field a flag, None where the user did not give it.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import (
    MISSING,
    Field,
    dataclass,
    field,
    fields,
    is_dataclass,
    make_dataclass,
    replace,
)
from functools import cache, reduce
from itertools import pairwise
from operator import or_
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from tyro.conf import DisallowNone, Positional, arg

from weak2strong.config.fields import NO_FLAG, Flag
from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError

Model = TypeVar("Model")

TEXT = (Literal, Union, UnionType)
"""Types whose values are texts on the command line."""

METAVARS = {str: "TEXT", int: "N", float: "NUMBER", Path: "PATH", ModelSpec: "MODEL"}


@dataclass(frozen=True)
class Sets:
    """What a flag sets.

    Attributes:
        setting: the name of the field of the model.
        role: of whose model or training; empty for those of both.
        flag: as the user writes it.
    """

    setting: str
    role: str
    flag: str


def flags(model: type, only: Collection[str] = (), without: Collection[str] = ()) -> Any:
    """A class with a flag for every setting of a model, but for the models inside it.

    Args:
        model: the class of settings.
        only: settings that have a flag, if not all.
        without: settings that have none.
    """
    names = set(only or [f.name for f in fields(model)]) - set(without)
    plain, annotated = get_type_hints(model), get_type_hints(model, include_extras=True)
    made = []
    for f in fields(model):
        flag = next(_metadata(annotated[f.name], Flag), Flag())
        is_model = is_dataclass(plain[f.name]) and plain[f.name] is not ModelSpec
        if f.name in names and flag != NO_FLAG and not is_model:
            made += _flags_of(model, f, flag, plain[f.name])
    return make_dataclass(
        model.__name__, made, frozen=True, kw_only=True, namespace={"__doc__": model.__doc__}
    )


def given(made: Any, role: str = "") -> dict[str, Any]:
    """The settings that the user gave: those of both roles, and those of one, which count more."""
    values = ((sets.setting, getattr(made, name)) for name, sets in _sets(made, role).items())
    return {setting: value for setting, value in values if value is not None}


def flags_of(made: Any, role: str) -> list[str]:
    """The flags that the user gave for one role alone, without dashes."""
    sets = ((getattr(made, name), sets) for name, sets in _sets(made, role).items())
    return [one.flag for value, one in sets if one.role == role and value is not None]


def changed(before: Model, made: Any, role: str = "") -> Model:
    """A model with the settings that the user gave by flags.

    Raises:
        UserError: for a value that cannot be; it names the flag.
    """
    try:
        return replace(before, **given(made, role))  # pyright: ignore[reportArgumentType]
    except UserError as e:
        told = str(e)
        # Where two flags set it, the one that was given is told.
        every = sorted(_sets(made, role).items(), key=lambda one: getattr(made, one[0]) is None)
        for _, sets in every:
            # Of a model the flag is its name; of several values the wrong one is in the sentence.
            place = rf"^\w+( .*?)?: {sets.setting}\b(\[\d+\])?(\.name\b)?"
            told = re.sub(place, f"--{sets.flag}", told)
        raise UserError(told) from e


def _sets(made: Any, role: str) -> dict[str, Sets]:
    """What the flags of both roles and of one set, by the name of the flag's field."""
    every = {f.name: f.metadata["sets"] for f in fields(made) if "sets" in f.metadata}
    return {name: sets for name, sets in every.items() if sets.role in ("", role)}


def _flags_of(
    model: Any, setting: Field[Any], flag: Flag, kind: Any
) -> Iterator[tuple[str, Any, Any]]:
    """Name, type and default of the flags that set one field, whose plain type is ``kind``."""
    own = flag.name or f"{getattr(model, 'prefix', '')}{setting.name}".replace("_", "-")
    text, default = docs(model).get(setting.name, ""), _default(setting)
    texts = {flag.role: text}
    if flag.each:
        texts = {"weak": f"Of the supervisor: {text[:1].lower()}{text[1:]}"}
        texts["strong"] = "Of students and ceiling, likewise."
        if flag.both:
            texts = {"": text, "weak": "Of the supervisor alone.", "strong": "Of the others alone."}
    for role, described in texts.items():
        name = f"{role}-{own}" if role else own
        about = arg(
            name=name,
            metavar=flag.metavar or _metavar(kind),
            help=described,
            help_behavior_hint=f"(default: {default})" if default else "",
        )
        made = field(default=None, metadata={"sets": Sets(setting.name, role, name)})
        parsed = Positional[_parsed(kind)] if flag.positional else _parsed(kind)
        yield name.replace("-", "_"), Annotated[parsed, about], made


def _parsed(kind: Any) -> Any:
    """What the parser makes of a flag: models are named, and None says that it is not given.

    A choice, or one of two types, is a text here, which the setting then refuses in one sentence
    with all choices.
    """
    given = _given(kind)
    names = {ModelSpec: str, tuple[ModelSpec, ...]: tuple[str, ...]}
    return DisallowNone[(str if get_origin(given) in TEXT else names.get(given, given)) | None]


def _given(kind: Any) -> Any:
    """A type without None."""
    if get_origin(kind) in (Union, UnionType):
        kind = reduce(or_, (one for one in get_args(kind) if one is not NoneType))
    return kind


def _metavar(kind: Any) -> str:
    kind = _given(kind)
    if get_origin(kind) is Literal:
        return "{" + ",".join(get_args(kind)) + "}"
    if get_origin(kind) is tuple:
        return f"{METAVARS[get_args(kind)[0]]} ..."
    return METAVARS.get(kind, "")


def _metadata(annotated: Any, sort: type) -> Iterator[Any]:
    """Objects of a sort that annotate a type, or the type without None in it."""
    if get_origin(annotated) is Annotated:
        yield from (one for one in annotated.__metadata__ if isinstance(one, sort))
        yield from _metadata(annotated.__origin__, sort)
    elif get_origin(annotated) in (Union, UnionType):
        for one in get_args(annotated):
            yield from _metadata(one, sort)


def _default(setting: Field[Any]) -> str:
    """The default of a setting as the user would write it; empty where help texts tell it."""
    value = setting.default
    if setting.default_factory is not MISSING:
        value = setting.default_factory()
    if isinstance(value, ModelSpec):
        return value.name
    if isinstance(value, tuple):
        return " ".join(f"{x:g}" if isinstance(x, float) else str(x) for x in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


@cache
def docs(model: type) -> dict[str, str]:
    """The text beneath each field of a class, on one line."""
    module = ast.parse(inspect.getsource(sys.modules[model.__module__]))
    (tree,) = (
        one for one in module.body if isinstance(one, ast.ClassDef) and one.name == model.__name__
    )
    return {
        one.target.id: " ".join(text.value.value.split())
        for one, text in pairwise(tree.body)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(text.value.value, str)
    }


@cache
def tidy_help(command: type) -> None:
    """Let the parser tell the flags of a command well.

    By itself it breaks help texts where the source has a new line, and shows that a value may be
    None.

    Args:
        command: a dataclass; so are those of its fields that hold further flags.
    """
    for model in command.__mro__:
        if not is_dataclass(model):
            continue
        plain, annotated = get_type_hints(model), get_type_hints(model, include_extras=True)
        # Classes that are made here have no source, and their texts are on one line.
        has_source = vars(sys.modules[model.__module__]).get(model.__name__) is model
        texts, own = docs(model) if has_source else {}, model.__annotations__
        for f in fields(model):
            if is_dataclass(kind := plain[f.name]):
                tidy_help(kind)
            elif f.name in own and "sets" not in f.metadata:
                about = [*_metadata(annotated[f.name], type(arg()))]
                empty = NoneType in get_args(kind) and f.default is None
                named = any(one.metavar for one in about)
                hinted = any(one.help_behavior_hint is not None for one in about)
                tidy = arg(
                    help=texts.get(f.name),
                    metavar=_metavar(kind) if empty and not named else None,
                    help_behavior_hint="" if empty and not hinted else None,
                )
                own[f.name] = Annotated[annotated[f.name], tidy]
