"""How a class becomes a model of settings: a wrong value is one sentence for the user."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, field, fields
from datetime import date
from inspect import Parameter, Signature
from reprlib import Repr
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from pydantic import BeforeValidator, ConfigDict, ValidationError, ValidationInfo
from pydantic.dataclasses import dataclass, rebuild_dataclass
from pydantic_core import ArgsKwargs

from weak2strong.ground.errors import UserError, unknown_name

Model = TypeVar("Model")

_CONFIG = ConfigDict(
    strict=True,
    extra="forbid",
    allow_inf_nan=False,
    # `w2s --help` needs no validators.
    defer_build=True,
)


FROM_TEXT = "text"
"""Where values come from that stood in a text, whose numbers may look like text."""


class RefusedError(ValueError):
    """What is wrong with a value, said by a check of ours; the place is added to it."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def settings(noun: str, told_by: str = "") -> Callable[[type[Model]], type[Model]]:
    """Make a class a frozen dataclass that checks its fields by their types.

    Args:
        noun: what a user calls it, such as ``"a training"``.
        told_by: the first field, where its text tells one such object from others in errors.

    Returns:
        A decorator. Objects of the class raise `UserError` for the first value that cannot be.
    """

    def decorate(cls: type[Model]) -> type[Model]:
        made: Any = dataclass(frozen=True, config=_CONFIG)(cls)

        def init(self: Any, *values: Any, **named: Any) -> None:
            try:
                _fill(self, values, named)
            except (ValidationError, RefusedError) as e:
                name = named.get(told_by, values[0] if told_by and values else "")
                about = f"{noun.split()[-1].capitalize()} {name if isinstance(name, str) else ''}"
                raise UserError(f"{about.rstrip()}: {sentence(e)}") from None

        made.__init__, made.__signature__, made._noun = init, _signature(made), noun
        return made

    return decorate


def _signature(cls: Any) -> Signature:
    """What `help` shows: the fields with their plain types; ``...`` for a default that is made."""
    types, parameters = get_type_hints(cls), []
    for f in fields(cls):
        default = Parameter.empty if f.default is MISSING else f.default
        parameters.append(
            Parameter(
                f.name,
                Parameter.POSITIONAL_OR_KEYWORD,
                default=default if f.default_factory is MISSING else ...,
                annotation=types[f.name],
            )
        )
    return Signature(parameters)


def from_mapping(cls: type[Model]) -> BeforeValidator:
    """A check before others that makes one model of another model's mapping, as YAML has them."""

    def made(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise RefusedError(f"must be a mapping of settings, not {shortened(value)}.")
        return _fill(object.__new__(cls), (), value, info.context)

    return BeforeValidator(made)


def read(cls: type[Model], plain: Mapping[Any, Any]) -> Model:
    """A model from its mapping in a text.

    Raises:
        UserError: for a key or a value that cannot be; it tells the place, but not the file.
    """
    try:
        return _fill(object.__new__(cls), (), plain, FROM_TEXT)
    except (ValidationError, RefusedError) as e:
        raise UserError(sentence(e)) from None


def _fill(
    model: Model, values: tuple[Any, ...], named: Mapping[Any, Any], source: str | None = None
) -> Model:
    """Set the fields of a new model, once they are checked.

    Raises:
        RefusedError: for a name that no field has.
        ValidationError: for a value that a field cannot have.
    """
    cls: Any = type(model)
    if not cls.__pydantic_complete__:
        ours = cls.__init__, cls.__signature__
        # Pydantic puts its own in place of these.
        rebuild_dataclass(cls)
        cls.__init__, cls.__signature__ = ours
    content = ArgsKwargs((), _by_name(cls, values, named))
    return cls.__pydantic_validator__.validate_python(content, self_instance=model, context=source)


def _by_name(cls: Any, values: tuple[Any, ...], named: Mapping[Any, Any]) -> dict[str, Any]:
    """Values by the names of fields.

    Raises:
        RefusedError: for a name that no field has.
    """
    known = [f.name for f in fields(cls)]
    if len(values) > len(known) or set(known[: len(values)]) & set(named):
        raise TypeError(f"{cls.__name__} was given more values than it has fields")
    for name in named:
        if name not in known:
            raise RefusedError(str(unknown_name(f"setting of {cls._noun}", _text(name), known)))
    return {**dict(zip(known, values, strict=False)), **named}


def sentence(error: ValidationError | RefusedError) -> str:
    """The first thing that is wrong: which field, what is allowed, and what was given.

    An error of ours that is no `RefusedError` is a bug, and raised again.
    """
    if isinstance(error, RefusedError):
        return str(error)
    first = error.errors(include_url=False)[0]
    context, where = first.get("ctx", {}), _place(first["loc"])
    if first["type"] == "value_error":
        if not isinstance(context["error"], RefusedError):
            raise context["error"]
        said = str(context["error"])
        if not where:
            return said
        return f"{where} {said}" if said.startswith("must ") else f"{where}: {said}"
    if first["type"] == "missing":
        return f"{where} is missing: it must be given."
    if first["type"] == "literal_error":
        # Pydantic writes: 'a', 'b' or 'c'.
        allowed = "one of " + ", ".join(re.findall(r"'([^']*)'", context["expected"]))
    else:
        allowed = _ALLOWED[first["type"]].format(**context)
    return f"{where} must be {allowed}, not {shortened(first['input'])}."


def _place(path: Iterable[str | int]) -> str:
    """Such as ``supervisors[0].lora_rank``; of a value that may be of two types, without these."""
    parts = (part for part in path if part not in ("int", "str"))
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".")


_ALLOWED: Mapping[str, str] = {
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "int_type": "a whole number",
    "is_instance_of": "a path",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "text, and not empty",
    "string_type": "text",
    "string_unicode": "text that can be written",
    "tuple_type": "a list",
}
"""What a value must be, by the types of pydantic's errors that our types of fields can give."""


def shortened(value: Any) -> str:
    """A value for a sentence, whatever it is and however large."""
    if isinstance(value, date):
        return str(value)
    short = Repr()
    short.maxlevel, short.maxstring, short.maxother, short.maxlong = 2, 80, 80, 80
    try:
        return short.repr(value)
    except ValueError:
        return "a number of thousands of digits"


def _text(key: object) -> str:
    """A key for `unknown_name`, which takes text."""
    return key if isinstance(key, str) and len(key) < 80 else shortened(key)
