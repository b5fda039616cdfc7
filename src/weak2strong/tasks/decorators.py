"""Decorators that put a user's own tasks, groups, sources and pictures beside ours.

A registered function is called when what it makes is needed. `docs/extending.md` has an example of
each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugin_faults import check_returns, fault_in, form_of
from weak2strong.ground.plugins import first_sentence, origin_of
from weak2strong.tasks import GROUPS, PICTURES, SOURCES, TASKS
from weak2strong.tasks.files import FileTask, cleaned_task, version_of
from weak2strong.tasks.readers import Columns
from weak2strong.tasks.rows import rows_of_tables
from weak2strong.tasks.source import Source
from weak2strong.tasks.tables import Table, kinds_of
from weak2strong.tasks.task import TEXTS, Example, Kind, Shares, Task

Rows = Iterable[Mapping[str, Any]]
"""Rows of data by column, as they would stand in a file of JSON lines."""

Load = TypeVar("Load", bound=Callable[[], Sequence[Example]])
Names = TypeVar("Names", bound=Callable[[], Sequence[str]])
Read = TypeVar("Read", bound=Callable[[Path], Rows])
Draw = TypeVar("Draw", bound=Callable[..., str | None])


def task(
    name: str,
    classes: Sequence[str],
    summary: str = "",
    source: str = "",
    licence: str = "",
    shares: Shares | None = None,
    given: Mapping[str, str] | None = None,
    kind: Kind = "classification",
    metric: str | None = None,
) -> Callable[[Load], Load]:
    """Register a function that makes examples, the same ones at every call, as a task.

    Args:
        name: as in ``--task``.
        classes: their names, in the order of the label indices; none of a generation.
        summary: one line for lists; by default the first sentence of the docstring.
        source: where the examples come from.
        licence: of the data.
        shares: sizes of the splits.
        given: the split of every example by id, in place of shares.
        kind: what sort of answer it has.
        metric: what it is usually scored by; the usual one of its kind if None.

    Raises:
        UserError: for a name that is taken.
    """

    def register(load: Load) -> Load:
        _check_free("task", name)
        check_returns("task", name, load, rows=True)
        made = Task(
            name=name,
            kind=kind,
            classes=tuple(classes),
            summary=summary or first_sentence(load),
            source=source,
            licence=licence,
            load=lambda: _checked(name, kind, len(classes), _every(load, load(), "examples")),
            shares=shares or Shares(),
            given=given,
            metric=metric,
        )
        TASKS.add(name, made, origin_of(load))
        return load

    return register


def _every(function: Callable[..., Any], made: Any, what: str) -> list[Any]:
    """All that a function of a plugin made.

    Raises:
        PluginError: where that is no several things.
    """
    if not isinstance(made, Iterable) or isinstance(made, str | bytes | Mapping):
        raise fault_in(function, f"it gives {form_of(made)} where {what} were asked for")
    return list(made)


def _checked(name: str, kind: Kind, classes: int, examples: Sequence[Example]) -> Sequence[Example]:
    """The examples of a task, if that is what they are."""
    examples, ids = list(examples), set[str]()
    for number, e in enumerate(examples):
        if not isinstance(e, Example) or not _is_label(kind, classes, e.label):
            expected = "that is a text" if kind == "generation" else f"from 0 to {classes - 1}"
            raise UserError(
                f"Task {name}: number {number} is {e!r}, and not an Example with a label "
                f"{expected}: mend the function that makes them."
            )
        if len(e.item.texts) != TEXTS[kind]:
            raise UserError(
                f"Task {name}: number {number} has {len(e.item.completions)} completions, which is "
                f"no {kind}: leave them out, or write two and kind='preference'."
            )
        if e.item.id in ids:
            raise UserError(
                f"Task {name}: two examples have the id {e.item.id!r}: tell them apart."
            )
        ids.add(e.item.id)
    return examples


def _is_label(kind: Kind, classes: int, label: object) -> bool:
    return isinstance(label, str) if kind == "generation" else label in range(classes)


def group(name: str) -> Callable[[Names], Names]:
    """Register the names that a function gives as a group of tasks, which ``--task`` takes.

    Raises:
        UserError: for a name that is taken.
    """

    def register(names: Names) -> Names:
        _check_free("group of tasks", name)
        check_returns("group of tasks", name, names, rows=True)
        GROUPS.add(name, tuple(names()), origin_of(names))
        return names

    return register


def source(
    name: str,
    takes: str = "file",
    question: str = "",
    licence: str = Source.licence,
    published: str | None = None,
) -> Callable[[Read], Read]:
    """Register a function that reads a path as rows: ``--task NAME=PATH`` is then a task.

    The rows are mappings with the columns that a file of JSON lines would have: ``text`` and
    ``label``, or ``prompt``, ``chosen`` and ``rejected``, or ``prompt`` and ``target``; also
    ``group`` and ``id`` if there are any. They are checked and cleaned as those of a file are.

    Args:
        name: what references begin with.
        takes: what the path leads to, for errors, such as "file of sums".
        question: what is asked, in one line for lists; by default the first sentence of the
            docstring.
        licence: of the data.
        published: year or year and month in which the data were published, such as "2023-12".

    Raises:
        UserError: for a name that is taken.
    """

    def register(rows: Read) -> Read:
        _check_free("source of tasks", name)
        check_returns("source of tasks", name, rows, rows=True)
        made = _RowSource(
            name=name,
            takes=takes,
            question=question or first_sentence(rows),
            licence=licence,
            date=published,
            rows_of=rows,
        )
        SOURCES.add(name, made, origin_of(rows))
        return rows

    return register


def picture(name: str) -> Callable[[Draw], Draw]:
    """Register a function that draws what a model reads, for the examples of a report.

    It gets every text of these, and returns an SVG, or None for a text that it cannot draw. Where
    it has an argument ``truths``, that gets the answers that count as right, as texts.

    Raises:
        UserError: for a name that is taken.
    """

    def register(draw: Draw) -> Draw:
        check_returns("picture", name, draw)
        PICTURES.add(name, draw, origin_of(draw))
        return draw

    return register


@dataclass(frozen=True, kw_only=True)
class _RowSource(Source):
    """A source whose rows a plugin reads."""

    rows_of: Callable[[Path], Rows]
    date: str | None = None

    @property
    def published(self) -> str | None:
        """The date that the plugin names."""
        return self.date

    def read(
        self, options: DataOptions, revision: str | None = None, path: str | None = None
    ) -> FileTask:
        """The task in the rows."""
        if not path:
            raise UserError(f"{self.name} needs a {self.takes}: name it as {self.name}=PATH.")
        values = _every(self.rows_of, self.rows_of(Path(path).expanduser()), "rows")
        for number, row in enumerate(values, start=1):
            if not isinstance(row, Mapping) or not all(isinstance(column, str) for column in row):
                what = f"row {number} is {form_of(row)} where values by column were asked for"
                raise fault_in(self.rows_of, what)
        present = {column for row in values for column in row}
        columns = Columns(
            group="group" if "group" in present else None, id="id" if "id" in present else None
        )
        numbered = list(enumerate(values, start=1))
        table = Table(path, kinds_of(sorted(present), numbered), numbered)
        rows, classes, account = rows_of_tables([table], columns, options.strict_rows)
        version = version_of([json.dumps(values, sort_keys=True, default=str).encode()])
        return cleaned_task(
            rows,
            classes,
            options,
            about=path,
            name=self.name,
            summary=self.question,
            source=f"{path}, {version}",
            licence=self.licence,
            account=account,
        )


def _check_free(what: str, name: str) -> None:
    """Refuse a name that stands for something else that ``--task`` takes."""
    others = {"task": (TASKS, "a task"), "group of tasks": (GROUPS, "a name for several tasks")}
    for other, (registry, means) in others.items():
        if what != other and name in registry:
            raise _taken(what, name, means)
    if what != "source of tasks" and name in SOURCES:
        raise _taken(what, name, SOURCES.get(name).sort)


def _taken(what: str, name: str, means: str) -> UserError:
    return UserError(f"A plugin names a {what} {name!r}, which is {means}: choose another name.")
