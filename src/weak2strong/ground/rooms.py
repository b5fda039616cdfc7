"""What the room of a subject brings beside its tasks: options of data, and commands."""

from collections.abc import Mapping
from dataclasses import dataclass

from weak2strong.ground.registry import Registry

ROOMS = ("weak2strong.subjects",)
"""The package whose modules are the built-in rooms: a room fills the tables when it is imported."""

OPTIONS = Registry("options of data", packages=ROOMS)
"""Options of data that one source of tasks alone heeds, by their name in a study file.

They are frozen dataclasses, with a text under every field and two attributes of the class:
``prefix``, which the names of their flags begin with, and ``unheeded``, the sentence for a user who
sets one of them without naming the source.
"""

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
    """

    summary: str
    commands: Mapping[str, type]
