"""What an input is, and how a group of inputs is added.

A group is a function in a file of `groups/` (a file may hold several) that makes one input from
random numbers:

    @group("notes", share=2)
    def notes(draw: Draw) -> Input:
        path = draw.folder / "notes.csv"
        if draw.rng.random() < 0.5:
            path.write_bytes(b"")
            return Input("an empty file", ("tasks", str(path)), names=("notes.csv",))
        path.write_text(...)
        return Input("a whole file", ("tasks", str(path), "--json"), right=reads_all_rows)

The function writes what it needs into `draw.folder`, which is empty and the working folder of the
command, and returns the words of the command with what must happen: `names` are what the one
sentence must hold if the input is refused (exit code 2), `right` looks at what a command that
ended with 0 said and returns what is wrong with it, in words, or None. An input with one of the two
must end so; an input with both may end either way (a flipped byte of a text may still be a text).

What several inputs need and takes long to make, such as a finished run, is made once by a function
that is named by `prepare`: it fills a folder, which each input finds as `draw.prepared` and must
copy before it changes it. `share` says how many inputs a group has beside those of others. Groups
whose inputs change the process, as plugins do, say `alone=True`: each has a process of its own.
Groups for which models are trained say `slow=True`, and are no part of `make test`.

An input is made again from seed, group and number alone, so a generator takes chance from
`draw.rng` only. `draw.number` counts the inputs of a group, for groups that go through a table.
"""

import importlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

GROUPS: dict[str, "Group"] = {}
"""All groups by name, once `load_groups` was called."""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; None where it was ended, or died.
        out: what it printed.
        err: what it printed as errors, warnings and progress.
    """

    code: int | None
    out: str
    err: str


@dataclass(frozen=True)
class Input:
    """Words of a command line, and what must happen.

    Attributes:
        about: what is special about it, in a phrase.
        words: of the command line, without the program's name.
        names: what the sentence must hold if the input is refused, each of them; where one is a
            tuple, one of its words. None where the input must not be refused.
        right: what is wrong with a command that ended with 0; None where it must not end so.
        codes: exit codes of a refusal.
    """

    about: str
    words: tuple[str, ...]
    names: tuple[str | tuple[str, ...], ...] | None = None
    right: Callable[[Ended], str | None] | None = None
    codes: tuple[int, ...] = (2,)


@dataclass(frozen=True)
class Draw:
    """What an input is made from.

    Attributes:
        rng: the only source of chance.
        folder: empty; the command works in it.
        number: of the input in its group, from 0.
        prepared: what the group's `prepare` made; to read only.
    """

    rng: random.Random
    folder: Path
    number: int
    prepared: Path


@dataclass(frozen=True)
class Group:
    """A kind of inputs; see the head of this file."""

    name: str
    make: Callable[[Draw], Input]
    share: float
    alone: bool
    prepare: Callable[[Path], None] | None
    slow: bool


def group(
    name: str,
    share: float = 1,
    alone: bool = False,
    prepare: Callable[[Path], None] | None = None,
    slow: bool = False,
) -> Callable[[Callable[[Draw], Input]], Callable[[Draw], Input]]:
    """Add a group of inputs, which the decorated function makes."""

    def add(make: Callable[[Draw], Input]) -> Callable[[Draw], Input]:
        assert name not in GROUPS, name
        GROUPS[name] = Group(name, make, share, alone, prepare, slow)
        return make

    return add


def load_groups() -> None:
    """Import every file of `groups/`."""
    for file in sorted((Path(__file__).parent / "groups").glob("*.py")):
        importlib.import_module(f"fuzz.groups.{file.stem}")


def make(name: str, number: int, seed: int, folder: Path, prepared: Path) -> Input:
    """The input of a group with a number."""
    rng = random.Random(f"{seed}/{name}/{number}")
    return GROUPS[name].make(Draw(rng, folder, number, prepared))


def problem(asked: Input, ended: Ended) -> str | None:
    """What is wrong with how a command ended; None where it is what must happen."""
    if "Traceback (most recent call last)" in ended.err:
        return f"a traceback: {ended.err.strip().splitlines()[-2][:200]}"
    if ended.code in asked.codes:
        return _refused(asked, ended.err)
    if ended.code != 0:
        return f"exit code {ended.code}"
    if asked.right is None:
        return "it is accepted, and must be refused"
    if any(line.startswith("error:") for line in ended.err.splitlines()):
        return "an error is told, and the exit code is 0"
    return asked.right(ended)


def _refused(asked: Input, err: str) -> str | None:
    lines = [line for line in err.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("error:")]
    if len(told) != 1:
        return f"{len(told)} sentences, and must be one"
    others = [line for line in lines if line != told[0] and not line.startswith("warning:")]
    if len(lines) > 1 and lines[-1] != told[0]:
        return f"the error has more than one line: {others[-1][:80]}"
    sentence = told[0].removeprefix("error:").strip()
    if asked.names is None:
        return "it is refused, and is right"
    if not re.search(r"[.?!)]$", sentence):
        return "the error is no whole sentence"
    if len(sentence) > 1000:
        return f"the error has {len(sentence)} characters"
    if re.search(r"\b\w+Error\b|<class |object at 0x", sentence):
        return "the error has words of Python"
    lacking = [name for name in asked.names if not _holds(sentence, name)]
    return f"the error does not name {lacking[0]!r}" if lacking else None


def _holds(sentence: str, name: str | Sequence[str]) -> bool:
    return any(one in sentence for one in ((name,) if isinstance(name, str) else name))
