"""Words of a command line: unknown ones, wrong values, and values where there are none."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin

from fuzz.inputs import Draw, Input, group

NUMBERS: Mapping[type, tuple[str, ...]] = {
    int: ("x", "1.5", "", "1e3", "nan", "0x10", "²", "1_", "1,000", "true"),
    float: ("x", "", "1..2", "1e", "½", "1,5", "1_"),
}
"""Words that are no number of a type."""

NEEDS = {"export": ("atlas-asia", "--out", "x.jsonl"), "annotators": ("x.csv",)}
"""What a command cannot do without, so that the wrong word alone is refused."""


@cache
def commands() -> tuple[tuple[tuple[str, ...], Any], ...]:
    """All commands by their words, experiments included."""
    from weak2strong.cli.commands import every_command
    from weak2strong.experiments import EXPERIMENTS

    return tuple(_walked(every_command(list(EXPERIMENTS))))


def _walked(of: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    from weak2strong.ground.rooms import Group

    for name, kind in of.items():
        if isinstance(kind, Group):
            yield from _walked(kind.commands, (*above, name))
        else:
            yield (*above, name), kind


@group("flags", share=5)
def flags(draw: Draw) -> Input:
    """Flags that are not there, or have a value that cannot be."""
    from weak2strong.cli.parsed import flag_types, read_as

    rng = draw.rng
    words, kind = rng.choice(commands())
    named = f"w2s {' '.join(words)}"
    types = flag_types(kind)
    words = (*words, *NEEDS.get(words[0], ()))
    sort = rng.randrange(5)
    if sort == 0 or not types:
        flag = rng.choice(sorted(types) or ["--seeds"])
        at = rng.randrange(3, len(flag))
        odd = rng.choice((flag[:at] + "q" + flag[at:], flag + "x", "-z", "--=3", "-" + flag))
        names = (named, odd.partition("=")[0])
        return Input(f"{named} {odd}", (*words, odd), names=(names,))
    numbers = [flag for flag, of in types.items() if read_as(of) in NUMBERS]
    if sort in (1, 2) and numbers:
        flag = rng.choice(numbers)
        value = rng.choice(NUMBERS[read_as(types[flag])])
        glued = rng.random() < 0.5
        more = (f"{flag}={value}",) if glued else (flag, value)
        return Input(f"{named} {more}", (*words, *more), names=((flag, f"{named} needs"),))
    if sort == 3:
        switches = [flag for flag, of in types.items() if read_as(of) is bool]
        if switches:
            flag = rng.choice(switches)
            value = rng.choice(("yes", "1", "", "false"))
            return Input(f"{named} {flag}={value}", (*words, f"{flag}={value}"), names=(flag,))
    choices = [flag for flag, of in types.items() if get_origin(_inner(of)) is Literal]
    if choices:
        flag = rng.choice(choices)
        value = rng.choice(("nix", "", "3", "NONE"))
        return Input(f"{named} {flag} {value!r}", (*words, flag, value), names=(flag, repr(value)))
    valued = [flag for flag, of in types.items() if read_as(of) is not bool and not _many(of)]
    flag = rng.choice(valued or ["--nix"])
    return Input(f"{named} {flag} without a value", (*words, flag), names=((flag, named),))


def _many(of: Any) -> bool:
    """Whether a flag of a type may have any number of values, none included."""
    return get_origin(of) is tuple or any(map(_many, get_args(of)))


def _inner(of: Any) -> Any:
    """A type without None and what annotates it."""
    while get_origin(of) is not Literal and (inner := [a for a in get_args(of) if a is not _NONE]):
        of = inner[0]
    return of


_NONE = type(None)


@group("words", share=2)
def words(draw: Draw) -> Input:
    """Commands that are not there, and words that no command takes."""
    rng = draw.rng
    known = sorted({words[0] for words, _ in commands()})
    name = rng.choice(known)
    at = rng.randrange(1, len(name))
    odd = rng.choice(
        (
            name[:at] + name[at + 1 :] + "q",
            name.upper(),
            name + "s1",
            f"{name} ",
            "🙂",
            "",
            "-",
            "{}",
        )
    )
    if rng.random() < 0.6:
        return Input(f"w2s {odd!r}", (odd,), names=(("w2s", repr(odd)),))
    groups = sorted({words[0] for words, _ in commands() if len(words) > 1})
    if rng.random() < 0.5:
        name = rng.choice(groups)
        return Input(f"w2s {name} {odd!r}", (name, odd), names=((f"w2s {name}", repr(odd)),))
    return Input(f"w2s methods {odd!r}", ("methods", f"{odd}1"), names=("methods",))


NUMBERS_OF_RUN: Mapping[str, tuple[str, ...]] = {
    "--seeds": ("0", "-5", "10001", str(10**30)),
    "--batch-size": ("0", "-1", str(2**31), "1" * 5000),
    "--weight-decay": ("-0.1", "nan", "inf"),
    "--warmup": ("1.5", "-0.1", "nan", "inf"),
    "--weak-lr": ("0", "-1", "inf", "nan"),
    "--beta1": ("1", "-0.5", "nan"),
    "--saturated": ("-0.1", "1.1", "nan"),
    "--weak-label-temperature": ("0", "-1", "nan", "inf", "cold", ""),
    "--max-length": ("0", "-3", "long", "1.5"),
    "--n-train": ("0", "-3", str(2**31)),
    "--simulated-accuracy": ("1.5", "-1", "nan"),
    "--gpus": ("0", "-2", str(10**30)),
    "--metric": ("nix", "", "accuracy "),
    "--methods": ("nix", "", "naive+", "naive:x=1", "+naive", "naive:", "confidence:alpha=x"),
    "--train-difficulty": ("nix", "below:", "easiest:2", "between:3:1", "below:nan"),
    "--test-difficulty": ("above:x", "hardest:0", "hardest:-1"),
    "--literature": ("nix", ""),
    "--weak": ("", "no/such/folder", "a/b/c", "~nobody-here/x"),
    "--strong": ("", "no/such/folder"),
    "--task": ("", "nix", "no-such.csv", "a,b,c", "no/such/folder", "x" * 300),
    "--encoding": ("nix", "base64", ""),
    "--unpacked-limit": ("0", "-1", "nan"),
    "--primary-test": ("nix", ""),
    "--chat-date": ("yesterday", "2024-13-01", ""),
}
"""Values that are read and cannot be, by the flag of `w2s run`."""


@group("values", share=3)
def values(draw: Draw) -> Input:
    """Values that a flag of a study reads and refuses."""
    flag = draw.rng.choice(sorted(NUMBERS_OF_RUN))
    value = draw.rng.choice(NUMBERS_OF_RUN[flag])
    words = ("run", "--dry-run", flag, value)
    parts = [part for part in re.split(r"[:=+]", value[:60]) if part.strip()]
    return Input(
        f"{flag} {value[:60]!r}", words, names=((flag, repr(value), "Unknown method", *parts),)
    )
