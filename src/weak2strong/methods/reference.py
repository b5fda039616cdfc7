"""What a user writes to name a method: ``name``, with settings, after other methods.

``few-shot:k=8,calibrate=true`` changes settings; the first may go without its name, as
in ``probe-filter:logistic``. ``probe-filter+confidence`` is a step and the method after it.
A value that holds one of ``+ : , =`` stands in double quotes, as JSON has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.methods import BASELINE, METHODS
from weak2strong.methods.method import Context, Given, Method, Part
from weak2strong.probes import PROBES

CHANGED: Mapping[Part, str] = {
    "labels": "the labels that are learned",
    "finetuning": "how the student is finetuned",
    "student": "the student that is trained",
}
"""What a step changes, in words."""

_QUOTED = r'"(?:[^"\\]|\\.)*"'


def find_method(reference: str) -> Method:
    """The method that a reference names; its name is the reference.

    Raises:
        UserError: for an unknown name or setting, a value of the wrong sort, or
            methods that cannot follow each other.
    """
    parts = [find_part(text, reference) for text in parts_of(reference)]
    *before, last = parts
    for part in before:
        if not part.prepares:
            raise UserError(
                f"Method {reference!r}: {part.name!r} ends with a finished student, so nothing "
                "can follow it: leave it or what follows out."
            )
    if last.prepares:
        before, last = parts, METHODS.get(BASELINE)
    _check_used(before, last, reference)
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
        check_given=partial(_each_has_enough, (*before, last)),
    )


def find_part(text: str, reference: str | None = None) -> Method:
    """One method or step with its settings, such as ``probe-filter:logistic``.

    Args:
        text: the part.
        reference: that it is a part of, for errors.

    Raises:
        UserError: for an unknown name or setting, or a value of the wrong sort.
    """
    name, *rest = _split(text, ":")
    method = METHODS.get(name)
    if not rest:
        return method
    settings = _settings(method, ":".join(rest), reference or text)
    if method.check_settings:
        method.check_settings(**settings)
    return method.having(settings)


def values_of(reference: str, setting: str) -> tuple[Any, ...]:
    """The values of a setting in those parts of a reference that take it: as given, or as usual.

    Raises:
        UserError: as `find_part`.
    """
    every = (settings for _, settings in settings_in(reference))
    return tuple(settings[setting] for settings in every if setting in settings)


def settings_in(reference: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The names in a reference, each with all of its settings: as given, or as usual.

    Raises:
        UserError: as `find_part`.
    """
    found = []
    for text in parts_of(reference):
        name, *rest = _split(text, ":")
        method = METHODS.get(name)
        given = _settings(method, ":".join(rest), reference) if rest else {}
        found.append((name, {**method.options, **given}))
    return tuple(found)


def parts_of(reference: str) -> tuple[str, ...]:
    """The parts of a reference with their settings, in order."""
    return tuple(_split(reference, "+"))


def names_in(reference: str) -> tuple[str, ...]:
    """The registered names in a reference, in order."""
    return tuple(_split(text, ":")[0] for text in parts_of(reference))


def reading_in(reference: str) -> str | None:
    """The step of a reference that reads, with its settings as written, if there is one."""
    parts = zip(parts_of(reference), names_in(reference), strict=True)
    return next((text for text, name in parts if name in METHODS and METHODS.get(name).reads), None)


def is_oracle(reference: str) -> bool:
    """Whether a method, or one of its steps, sees ground truth; False where none is known.

    The plugin of a finished run need not be there when its table is read.
    """
    return any(method.oracle for method in _known(reference))


def passes_intermediates(reference: str) -> bool:
    """Whether labels pass through models between supervisor and student; False if unknown."""
    return any("intermediates" in method.needs for method in _known(reference))


def gradient_of(reference: str) -> str:
    """The method that stands for all with its gradient: itself, or the one that it declares."""
    declared = METHODS.get(reference).same_gradient_as if reference in METHODS else None
    return declared or reference


def is_extended(reference: str) -> bool:
    """Whether a plugin's method or probe is named anywhere in a reference, settings included."""
    return bool(plugins_in(reference))


def plugins_in(reference: str) -> tuple[str, ...]:
    """The files and packages of plugins that a reference names something of, settings included."""
    words = set(re.findall(r"[a-z0-9-]+", reference))
    found = (r.origin(name) for r in (METHODS, PROBES) for name in r if name in words)
    return tuple(dict.fromkeys(origin for origin in found if origin))


def prepared(step: Method, context: Context) -> Context:
    """The context that a step prepares for the method after it.

    Raises:
        UserError: where the step returns something else.
    """
    changed = step.run(context)
    if not hasattr(changed, "with_labels"):
        raise UserError(
            f"The method {step.name!r}{of_plugin(step)} prepares another, and returns "
            f"{type(changed).__name__} in place of a context: let it end in "
            "`return context.with_labels(...)`, or leave prepares=True out."
        )
    return changed


def of_plugin(method: Method) -> str:
    """The file or package that a method comes from, as a part of a sentence; empty for ours."""
    origin = METHODS.origin(names_in(method.name)[-1])
    return f" of the plugin {origin}" if origin else ""


def _known(reference: str) -> Iterator[Method]:
    """The parts of a reference that are registered here, with their settings."""
    for text, name in zip(parts_of(reference), names_in(reference), strict=True):
        if name not in METHODS:
            continue
        try:
            yield find_part(text)
        except UserError:
            # A plugin may have lost a setting since.
            yield METHODS.get(name)


def _each_has_enough(parts: Sequence[Method], given: Given) -> None:
    """Refuse what a study gives where that is too little for a part; steps add no examples."""
    for part in parts:
        if part.check_given:
            part.check_given(given)


def _one_after_another(parts: Sequence[Method], context: Context) -> Any:
    *before, last = parts
    for step in before:
        context = prepared(step, context)
    return last.run(context)


def _check_used(before: Sequence[Method], last: Method, reference: str) -> None:
    """Refuse a step that changes what no one after it looks at, or that takes its own place."""
    for i, step in enumerate(before):
        name, after = step.name, (*before[i + 1 :], last)
        if step.once and any(other.name == name for other in after):
            raise UserError(
                f"Method {reference!r}: the second {name!r} takes the place of the first: name it "
                "once."
            )
        if step.changes and not any(set(step.changes) & set(other.uses) for other in after):
            raise UserError(
                f"Method {reference!r}: {name!r} changes {CHANGED[step.changes[0]]}, which "
                f"{last.name!r} makes no use of, so that it would do nothing: leave {name!r} out, "
                "or put it before another method."
            )


def _settings(method: Method, text: str, reference: str) -> dict[str, Any]:
    options, settings = method.options, dict[str, Any]()
    for position, piece in enumerate(_split(text, ",")):
        name, *value = _split(piece, "=")
        if not value and position == 0 and options:
            name, value = next(iter(options)), [name]
        if len(value) != 1 or not name or name in settings:
            raise UserError(
                f"Method {reference!r}: {piece!r} is no setting: write name=value, each once, with "
                'commas between them ("quoted" where a value holds one of + : , =).'
            )
        settings[name] = _value(value[0])
        if name in options:
            _check_type(method, name, settings[name], options[name])
        elif not method.takes_more:
            if not options:
                raise UserError(f"The method {method.name!r} has no settings: leave {name!r} out.")
            raise unknown_name(f"setting of the method {method.name!r}", name, options)
    return settings


def _check_type(method: Method, name: str, value: Any, usual: Any) -> None:
    """Refuse text for a number and the like; a setting without a usual value takes anything."""
    if usual is None:
        return
    types: Mapping[type, tuple[type, ...]] = {float: (int, float), int: (int,), bool: (bool,)}
    allowed = types.get(type(usual), (str, int))
    # A truth value is an integer to Python.
    fine = isinstance(value, allowed) and (isinstance(value, bool) == isinstance(usual, bool))
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


def _split(text: str, separator: str) -> list[str]:
    """The pieces of a text between separators; a separator in quotes does not count."""
    pieces, begin = [], 0
    for match in re.finditer(rf"{_QUOTED}|{re.escape(separator)}", text):
        if match.group() == separator:
            pieces.append(text[begin : match.start()].strip())
            begin = match.end()
    return [*pieces, text[begin:].strip()]
