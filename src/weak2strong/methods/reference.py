"""What a user writes to name a method: ``name``, with settings, after others.

``few-shot:k=8,calibrate=true`` changes settings; the first may go without its name, as
in ``probe-filter:logistic``. ``probe-filter+confidence`` is a step and the method after it.
A value that holds one of ``+ : , =`` stands in double quotes, as JSON has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.methods import BASELINE, METHODS
from weak2strong.methods.method import Context, Method
from weak2strong.probes import PROBES

_QUOTED = r'"(?:[^"\\]|\\.)*"'


def find_method(reference: str) -> Method:
    """The method that a reference names, under that very name.

    Raises:
        UserError: for an unknown name or setting, a value of the wrong sort, or
            methods that cannot follow each other.
    """
    parts = [_part(text, reference) for text in _split(reference, "+")]
    *before, last = parts
    for part in before:
        if not part.prepares:
            raise UserError(
                f"Method {reference!r}: {part.name!r} ends with a finished student, so nothing "
                "can follow it: leave it or what follows out."
            )
    if last.prepares:
        before, last = parts, METHODS.get(BASELINE)
    if not before:
        return replace(last, name=reference)
    return Method(
        name=reference,
        summary=", then ".join(part.summary for part in (*before, last)),
        source="; ".join(dict.fromkeys(part.source for part in parts)),
        run=partial(_one_after_another, (*before, last)),
        classes=next((part.classes for part in (*before, last) if part.classes), None),
        needs=tuple(dict.fromkeys(need for part in (*before, last) for need in part.needs)),
        kinds=tuple(k for k in last.kinds if all(k in part.kinds for part in before)),
    )


def names_in(reference: str) -> tuple[str, ...]:
    """The registered names in a reference, in order."""
    return tuple(_split(text, ":")[0] for text in _split(reference, "+"))


def reading_in(reference: str) -> str | None:
    """The step ``generative`` of a reference, as written with its settings, if it has one."""
    steps = (text for text in _split(reference, "+") if _split(text, ":")[0] == "generative")
    return next(steps, None)


def settings_in(part: str) -> dict[str, Any]:
    """The settings of one part of a reference, those that it leaves out included."""
    name, *rest = _split(part, ":")
    method = METHODS.get(name)
    return {**method.options, **(_settings(method, ":".join(rest), part) if rest else {})}


def is_oracle(reference: str) -> bool:
    """Whether a method, or one of its steps, sees ground truth; of unknown ones nobody can say.

    The plugin that a finished run had need not be there when its table is read.
    """
    known = (name for name in names_in(reference) if name in METHODS)
    return any(METHODS.get(name).oracle for name in known)


def passes_intermediates(reference: str) -> bool:
    """Whether labels pass through models between supervisor and student; False if unknown."""
    known = (name for name in names_in(reference) if name in METHODS)
    return any("intermediates" in METHODS.get(name).needs for name in known)


def is_extended(reference: str) -> bool:
    """Whether a plugin's method or probe is named anywhere in a reference, settings included."""
    words = set(re.findall(r"[a-z0-9-]+", reference))
    return any(r.origin(name) for r in (METHODS, PROBES) for name in r if name in words)


def _one_after_another(parts: Sequence[Method], context: Context) -> Any:
    *before, last = parts
    for part in before:
        found = part.run(context)
        if not hasattr(found, "with_labels"):
            raise UserError(
                f"The method {part.name!r} prepares another, and returns {type(found).__name__} in "
                "place of a context: let it end in `return context.with_labels(...)`, or leave "
                "prepares=True out."
            )
        context = found
    return last.run(context)


def _part(text: str, reference: str) -> Method:
    """A method with its settings."""
    name, *rest = _split(text, ":")
    method = METHODS.get(name)
    if not rest:
        return method
    settings = _settings(method, ":".join(rest), reference)
    if method.check_settings:
        method.check_settings(**settings)
    return replace(method, run=partial(method.run, **settings), usual=lambda: {})


def _settings(method: Method, text: str, reference: str) -> dict[str, Any]:
    options, found = method.options, dict[str, Any]()
    for place, piece in enumerate(_split(text, ",")):
        name, *value = _split(piece, "=")
        if not value and place == 0 and options:
            name, value = next(iter(options)), [name]
        if len(value) != 1 or not name or name in found:
            raise UserError(
                f"Method {reference!r}: {piece!r} is no setting: write name=value, each once, with "
                'commas between them ("quoted" where a value holds one of + : , =).'
            )
        found[name] = _value(value[0])
        if name in options:
            _check_sort(method, name, found[name], options[name])
        elif not method.takes_more:
            if not options:
                raise UserError(f"The method {method.name!r} has no settings: leave {name!r} out.")
            raise unknown_name(f"setting of the method {method.name!r}", name, options)
    return found


def _check_sort(method: Method, name: str, value: Any, usual: Any) -> None:
    """Refuse text for a number and the like; a setting without a usual value takes anything."""
    if usual is None:
        return
    sorts: Mapping[type, tuple[type, ...]] = {float: (int, float), int: (int,), bool: (bool,)}
    wanted = sorts.get(type(usual), (str, int))
    # A truth value is an integer to Python.
    fine = isinstance(value, wanted) and (isinstance(value, bool) == isinstance(usual, bool))
    if not fine:
        words = {float: "a number", int: "a whole number", bool: "true or false"}
        raise UserError(
            f"The method {method.name!r} takes {words.get(type(usual), 'a word')} for {name} "
            f"(usually {usual!r}), not {value!r}."
        )


def _value(text: str) -> Any:
    """A number, a truth value, or text; in quotes always text."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _split(text: str, at: str) -> list[str]:
    """The pieces between separators, of which those in quotes do not count."""
    pieces, begin = [], 0
    for match in re.finditer(rf"{_QUOTED}|{re.escape(at)}", text):
        if match.group() == at:
            pieces.append(text[begin : match.start()].strip())
            begin = match.end()
    return [*pieces, text[begin:].strip()]
