"""`w2s tasks`, `w2s methods`: what there is; `w2s export`: a task as a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from weak2strong.cli.data import Data

Plugins = Annotated[tuple[Path, ...], arg(metavar="PATH ...", help_behavior_hint="")]


@dataclass(frozen=True)
class Tasks:
    """List the tasks with their sizes, sources and licences, or show what a few of them hold."""

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="TASK ...", help_behavior_hint="")]
    ] = ()
    """Tasks to look into, by name, or your own files or datasets; without any, all are listed."""
    plugin: Plugins = ()
    """Python files that add tasks of your own."""
    model: Annotated[str | None, arg(metavar="MODEL", help_behavior_hint="")] = None
    """A model whose tokens to count."""
    data: Data = field(default_factory=Data)

    def __call__(self) -> None:
        """Print the list, or a table a task."""
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.tasks import expand
        from weak2strong.tasks.find import find_tasks

        load_plugins(self.plugin)
        references = expand(self.names)
        tasks = find_tasks(references, self.data.options())
        if not tasks:
            return self._list()
        from weak2strong.config.model import ModelSpec
        from weak2strong.engine.contents import contents
        from weak2strong.models.resolve import fingerprint
        from weak2strong.report.contents import print_contents
        from weak2strong.report.table import table_console
        from weak2strong.tasks.splits import make_splits

        models = (ModelSpec.parse(self.model),) if self.model else ()
        for model in models:
            fingerprint(model)
        for reference, task in zip(references, tasks, strict=True):
            print_contents(contents(reference, task, make_splits(task), models), table_console())

    def _list(self) -> None:
        from weak2strong.subjects.chess.puzzle_task import PUZZLES
        from weak2strong.subjects.literature import DATASETS
        from weak2strong.tasks import GROUPS, TASKS
        from weak2strong.tasks.splits import SPLITS, make_splits

        rows, sources = [], {}
        for name in TASKS:
            task = TASKS.get(name)
            splits = make_splits(task)
            sizes = (f"{len(splits.examples(s)):,}" for s in SPLITS)
            rows.append((name, task.summary, *sizes, task.licence))
            sources.setdefault(task.source, []).append(name)
        _print_rows(("task", "question", *SPLITS, "licence"), rows)
        for source, names in sources.items():
            if source:
                several = f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
                print(f"{several}: {source}.")
        datasets = [DATASETS.get(name) for name in DATASETS]
        found = [
            (d.name, d.question, f"{d.rows:,}" if d.rows else "-", d.repo, d.licence)
            for d in datasets
        ]
        print(
            "\nDatasets of the literature, read from the hub (or NAME=FOLDER) when they are used:"
        )
        _print_rows(("task", "question", "rows", "repository", "licence"), found)
        print(f"{PUZZLES}=FILE.csv is a file of chess puzzles as Lichess publishes it.")
        for group, names in GROUPS.items():
            print(f"{group} stands for {len(names)} of them: {', '.join(names)}.")


@dataclass(frozen=True)
class Methods:
    """List the methods with their sources and needs, or show some of them with their settings."""

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="METHOD ...", help_behavior_hint="")]
    ] = ()
    """Methods to show in full, by name; without any, all are listed."""
    plugin: Plugins = ()
    """Python files that add methods, losses or probes of your own."""

    def __call__(self) -> None:
        """Print the list, or a page a method."""
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.report.methods import print_method, print_methods
        from weak2strong.report.table import table_console

        load_plugins(self.plugin)
        for name in self.names:
            print_method(name, table_console())
        if not self.names:
            print_methods(table_console())


@dataclass(frozen=True)
class Export:
    """Write a task's splits as JSON lines: id, group, split, text and label.

    Of preferences, the text is the prompt, the two completions follow, and the label is the
    index of the preferred one; of a generation it is prompt and target. The ids are what a file
    of your own weak labels refers to.
    """

    task: Positional[str]
    """Name of the task, or your own file or dataset."""
    out: Path
    """The file to write."""
    entities: Literal["seen", "unseen"] = "seen"
    """Examples about what the ladder has read about, or about what no rung can know."""
    hide_labels: bool = False
    """Leave ground truth out, except of weak_train, as a supervisor would see it."""
    plugin: Plugins = ()
    """Python files that add tasks of your own."""
    data: Data = field(default_factory=Data)

    def __call__(self) -> None:
        """Write the file."""
        import json

        from weak2strong.ground.errors import UserError
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.tasks.find import find_tasks
        from weak2strong.tasks.readers import ACCEPTED, LABEL, PROMPT, TARGETS, TEXT
        from weak2strong.tasks.splits import SPLITS, make_splits

        load_plugins(self.plugin)
        (task,) = find_tasks((self.task,), self.data.options())
        splits = make_splits(task.about(self.entities))
        # As they would be read again.
        columns = {"generation": (PROMPT, TARGETS[0])}
        text, label = columns.get(task.kind, (TEXT, LABEL))
        count = 0
        try:
            with self.out.open("w") as file:
                for split in SPLITS:
                    for e in splits.examples(split):
                        i = e.item
                        row: dict[str, Any] = {"id": i.id, "group": i.group}
                        row |= {"split": split, text: i.text}
                        if i.completions:
                            row["completions"] = i.completions
                        if split == "weak_train" or not self.hide_labels:
                            row[label] = e.label
                            row |= {ACCEPTED: e.accepted} if e.accepted else {}
                        print(json.dumps(row, ensure_ascii=False), file=file)
                        count += 1
        except OSError as e:
            raise UserError(f"Cannot write {self.out} ({e.strerror}): choose another --out.") from e
        print(f"{count:,} examples written to {self.out}")


def _print_rows(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table

    from weak2strong.report.table import table_console

    table = Table(*titles, header_style="bold")
    for row in rows:
        table.add_row(*row)
    table_console().print(table)
