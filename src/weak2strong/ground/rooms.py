"""What the room of a subject brings beside its tasks: options of data, and commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from weak2strong.ground.registry import Registry

ROOMS = ("weak2strong.subjects",)
"""The package whose modules are the built-in rooms: a room fills the tables when it is imported."""

OPTIONS = Registry("options of data", packages=ROOMS)
"""Options of data that one source of tasks alone heeds, by their name in a study file.

They are frozen dataclasses, with a text under every field and two attributes of the class:
``prefix``, which the names of their flags begin with, and ``unheeded``, the sentence for a user who
sets one of them without naming the source.
"""


class Purpose(StrEnum):
    """What a command is for: `w2s --help` lists commands by it, in this order.

    A command declares it as ``purpose: ClassVar[Purpose]``, a `Group` as a field. One that does not
    is listed at the end.
    """

    RUN = "Run and look"
    ASK = "Ask more of a run"
    EXPERIMENT = "Experiments"
    DATA = "Data and models"
    CARE = "Look after"
    MORE = "More"


COMMANDS = Registry("command", packages=ROOMS)
"""Subcommands of `w2s`: a frozen dataclass whose fields are flags, or a `Group` of such.

The object is called. What it returns is the exit code, or a `weak2strong.ground.table.Document` to
be printed: as JSON where the dataclass has a field ``json`` and it is true, under the name that the
class has as ``command``.
"""


@dataclass(frozen=True)
class Group:
    """Commands under one word, such as ``w2s store prune``.

    Attributes:
        summary: one line for the help.
        commands: by the word that follows.
        purpose: of all of them.
    """

    summary: str
    commands: Mapping[str, type]
    purpose: Purpose = Purpose.MORE
