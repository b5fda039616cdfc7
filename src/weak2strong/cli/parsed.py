"""From the words of a command line to a command, or to one sentence that says what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args, get_type_hints

from tyro.conf import Positional, Suppress

from weak2strong.cli.commands import every_command, union
from weak2strong.cli.flags import tidy_help
from weak2strong.cli.overview import helping, overview
from weak2strong.config.settings import shortened
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.lines import USUAL, width_of
from weak2strong.ground.rooms import Group

PROGRAM = "w2s"


def _about(annotated: Any) -> tuple[Any, ...]:
    """What annotates a type."""
    return getattr(annotated, "__metadata__", ())


NO_FLAGS = (*_about(Positional[str]), *_about(Suppress[str]))
"""What annotates a field that has no flag."""

NUMBERS: Mapping[type, str] = {int: "a whole number", float: "a number"}
"""Types of flags that the parser itself reads, and what their values must be."""


def parsed(arguments: Sequence[str]) -> Any:
    """The command that the words of a command line describe.

    What the parser refuses reaches us by a hook that tyro calls unstable. Where a later version has
    another one, its own words are printed in place of ours.

    Args:
        arguments: without the program's name.

    Raises:
        UserError: for words that are no command, no flag of it, or no value of a flag.
        SystemExit: after a help text was printed.
    """
    commands = every_command(arguments)
    named, kind, rest = _command(arguments, commands)
    if isinstance(kind, Mapping) and rest[:1] in (["-h"], ["--help"]):
        print(overview(named, kind, width_of(sys.stdout) or USUAL), flush=True)
        raise SystemExit(0)

    import tyro

    if {"-h", "--help"} & set(rest) and isinstance(kind, type):
        tidy_help(kind)
    _check_switches(rest, kind)
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes)

    def parse() -> Any:
        with helping(sys.stdout):
            return tyro.cli(union(commands), prog=PROGRAM, args=arguments, config=config)

    try:
        from tyro._errors import on_parse_error
    except ImportError:
        return parse()

    def refuse(event: Any) -> None:
        says = _SAYS.get(type(event).__name__)
        if says is not None:
            raise UserError(says(event, named, kind, rest))

    with on_parse_error(refuse):
        return parse()


Kind = type | Mapping[str, Any]
"""A command, or several of which one has to be named."""


def _command(
    arguments: Sequence[str], commands: Mapping[str, type | Group]
) -> tuple[str, Kind, list[str]]:
    """The command that the first words name, as the user wrote it, and the words behind them."""
    named, kind, rest = PROGRAM, commands, list(arguments)
    while isinstance(kind, Mapping) and rest and rest[0] in kind:
        found = kind[rest[0]]
        named = f"{named} {rest.pop(0)}"
        kind = found.commands if isinstance(found, Group) else found
    return named, kind, rest


def flag_types(kind: Any) -> dict[str, Any]:
    """The flags of a command, such as ``--seeds``, and the types of their values."""
    found = dict[str, Any]()
    plain, annotated = get_type_hints(kind), get_type_hints(kind, include_extras=True)
    for f in fields(kind):
        if is_dataclass(plain[f.name]):
            found |= flag_types(plain[f.name])
            continue
        about = _about(annotated[f.name])
        # Types may be annotated inside a union, as `Annotated[int, ...] | None` is.
        about += tuple(m for one in get_args(annotated[f.name]) for m in _about(one))
        if any(one in NO_FLAGS for one in about):
            continue
        names = [m.name for m in about if isinstance(getattr(m, "name", None), str)]
        found[f"--{(names or [f.name])[0].replace('_', '-')}"] = plain[f.name]
    return found


def _check_switches(words: Sequence[str], kind: Kind) -> None:
    """Refuse a value for a flag that has none, which the parser would not look at.

    Raises:
        UserError: for such a value.
    """
    switches = () if isinstance(kind, Mapping) else _switches(kind)
    for word in words:
        flag, equals, value = word.partition("=")
        if equals and flag.replace("_", "-") in switches:
            raise UserError(f"{flag} takes no value: leave ={value} out.")


def _switches(kind: type) -> list[str]:
    """The flags of a command that take no value."""
    return [flag for flag, of in flag_types(kind).items() if read_as(of) is bool]


def _unrecognized(event: Any, named: str, kind: Kind, rest: Sequence[str]) -> str:
    word = event.tokens[0]
    if isinstance(kind, Mapping) and not word.startswith("-"):
        return str(unknown_name("command", word, kind, f"See: {named} --help."))
    if not word.startswith("-"):
        return f"{named} has no use for {word!r}: leave it out, or see: {named} --help."
    flag = word.partition("=")[0]
    known = {} if isinstance(kind, Mapping) else flag_types(kind)
    near = get_close_matches(flag, known, n=1)
    meant = f"did you mean {near[0]}? See" if near else "see"
    return f"{named} has no flag {flag}: {meant}: {named} --help."


def _missing_command(event: Any, named: str, kind: Kind, rest: Sequence[str]) -> str:
    assert isinstance(kind, Mapping)
    return f"Name a command of {named}: {', '.join(kind)}; {named} --help says what each does."


def _missing(event: Any, named: str, kind: Kind, rest: Sequence[str]) -> str:
    lacking = [
        " ".join(filter(None, (*_flags(one.arg), one.arg.lowered.metavar)))
        for one in event.missing_arguments
    ]
    return f"{named} needs {' and '.join(lacking)}: see {named} --help."


def _flags(argument: Any) -> tuple[str, ...]:
    """How a value is announced; a word that is known by its place is not."""
    return () if argument.is_positional() else argument.lowered.name_or_flags


def _no_value(event: Any, named: str, kind: Kind, rest: Sequence[str]) -> str:
    argument = event.argument
    if argument.is_positional():
        return f"{named} needs {argument.lowered.metavar}: see {named} --help."
    return f"{argument.display_name()} needs a value: see {named} --help."


def _wrong_choice(event: Any, named: str, kind: Kind, rest: Sequence[str]) -> str:
    allowed = ", ".join(event.choices)
    flag, value = event.argument.display_name(), shortened(event.value)
    return f"{flag} must be one of {allowed}, not {value}."


def _wrong_value(event: Any, named: str, kind: Kind, rest: Sequence[str]) -> str:
    if event.argument is None:
        return str(event.message)
    flag, read = event.argument.display_name(), read_as(event.argument.field.type_stripped)
    wrong = [value for value in _values(rest, flag) if not _is_read(value, read)]
    if not wrong:
        return f"{flag}: {event.message}"
    return f"{flag} must be {NUMBERS.get(read, 'something else')}, not {shortened(wrong[0])}."


def read_as(kind: Any) -> Any:
    """The type of one value of a flag whose type may be optional, or of several values."""
    while inner := [one for one in get_args(kind) if one not in (NoneType, Ellipsis)]:
        kind = inner[0]
    return kind


def _is_read(value: str, kind: Any) -> bool:
    if kind not in NUMBERS:
        return True
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _values(words: Sequence[str], flag: str) -> list[str]:
    """What stands behind a flag, up to the next one."""
    found, within = list[str](), False
    for word in words:
        name, equals, value = word.partition("=")
        is_flag = word.startswith("--")
        within = (within and not is_flag) or (is_flag and name.replace("_", "-") == flag)
        if within and (equals or not is_flag):
            found.append(value if is_flag else word)
    return found


_SAYS: Mapping[str, Callable[[Any, str, Kind, Sequence[str]], str]] = {
    "UnrecognizedArgs": _unrecognized,
    "MissingSubcommand": _missing_command,
    "MissingArgs": _missing,
    "BadValue": _no_value,
    "InvalidChoice": _wrong_choice,
    "InstantiationFailure": _wrong_value,
}
"""What is said of each sort of refusal of the parser's."""
