"""What is asked: tasks, their examples, and how these are split.

The tables below are filled by the rooms of `weak2strong.subjects`, and by plugins.
"""

from collections.abc import Sequence

from weak2strong.ground.registry import Registry
from weak2strong.ground.rooms import ROOMS

HINT = (
    "`w2s tasks` lists them all; a file ends in .jsonl, .csv, .parquet, .json, .tsv, .arrow, "
    ".feather or .ndjson."
)
"""What an unknown name is told."""

TASKS = Registry("task", hint=HINT, packages=ROOMS)
"""Embedded tasks: objects of `weak2strong.tasks.task.Task`."""

GROUPS = Registry("group of tasks", packages=ROOMS)
"""Names that stand for several tasks: tuples of names."""

SOURCES = Registry("source of tasks", packages=ROOMS)
"""Data that become a task when a user names them: a `weak2strong.tasks.source.Source` each."""

PICTURES = Registry("picture", packages=ROOMS)
"""How items are drawn in a report: functions from a text that a model reads to an SVG, or to None
where that text is nothing that the function can draw."""


def expand(names: Sequence[str]) -> tuple[str, ...]:
    """Names of tasks, with the name of a group replaced by its tasks."""
    return tuple(
        task for name in names for task in (GROUPS.get(name) if name in GROUPS else (name,))
    )
