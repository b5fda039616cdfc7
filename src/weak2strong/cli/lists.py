"""`w2s tasks`, `w2s methods`: what there is; `w2s export`: a task as a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from tyro.conf import Positional, arg

from weak2strong.cli.printing import Printing
from weak2strong.cli.study import DataFlags, data_options
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Purpose

Plugins = Annotated[tuple[Path, ...], arg(metavar="PATH ...", help_behavior_hint="")]

MetricPlugins = Annotated[
    Plugins, arg(help="Python files with the metric of the run, where it is one of your own.")
]
"""The flag `--plugin` of commands that read finished runs."""


@dataclass(frozen=True)
class Tasks(Printing):
    """List the tasks, or show what a few of them hold.

    The list has sizes, sources and licences.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="[TASK ...]", help_behavior_hint="")]
    ] = ()
    """Tasks to look into, by name, or your own files or datasets; without any, all are listed."""
    plugin: Plugins = ()
    """Python files that add tasks of your own."""
    model: Annotated[str | None, arg(metavar="MODEL", help_behavior_hint="")] = None
    """A model whose tokens to count."""
    data: DataFlags = field(default_factory=DataFlags)

    def __call__(self) -> None:
        """Print the list, or a table a task."""
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.tasks import expand
        from weak2strong.tasks.find import find_tasks

        load_plugins(self.plugin)
        references = expand(self.names)
        tasks = find_tasks(references, data_options(self.data))
        if not tasks:
            from weak2strong.report.tasks import tasks_document

            return self.show(tasks_document())
        from weak2strong.config.model import ModelSpec
        from weak2strong.engine.contents import contents
        from weak2strong.models.resolve import fingerprint
        from weak2strong.report.contents import contents_document
        from weak2strong.tasks.splits import make_splits

        models = (ModelSpec.parse(self.model),) if self.model else ()
        for model in models:
            fingerprint(model)
        self.show(
            *(
                contents_document(contents(reference, task, make_splits(task), models))
                for reference, task in zip(references, tasks, strict=True)
            )
        )


@dataclass(frozen=True)
class Methods(Printing):
    """List the methods, or show some of them with their settings.

    The list has sources and needs.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="[METHOD ...]", help_behavior_hint="")]
    ] = ()
    """Methods to show in full, by name; without any, all are listed."""
    plugin: Plugins = ()
    """Python files that add methods, losses or probes of your own."""
    example: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Write a method of your own to begin with, as a Python file, and nothing else."""

    def __call__(self) -> None:
        """Print the list, or a page a method."""
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.report.methods import method_documents, methods_document

        if self.example is not None:
            return _write_example(self.example)
        load_plugins(self.plugin)
        documents = [document for name in self.names for document in method_documents(name)]
        self.show(*(documents or [methods_document()]))


def _write_example(file: Path) -> None:
    """Write a plugin with a method to a new file.

    Raises:
        UserError: where the file is there, cannot be written, or is not named as Python's are.
    """
    from weak2strong.ground.disks import writing
    from weak2strong.ground.errors import UserError
    from weak2strong.ground.whole import write_whole
    from weak2strong.report.methods import EXAMPLE

    if file.suffix != ".py":
        raise UserError(f"The plugin {file} is no Python file: name one that ends in .py.")
    if file.exists():
        raise UserError(f"{file} is there already: name a new file with --example.")
    with writing(file, "choose another --example"):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, EXAMPLE.format(file=file))
    tell(f"Written to {file}: w2s run --plugin {file} --methods naive mine")


@dataclass(frozen=True)
class Export:
    """Write a task's splits as JSON lines.

    A line has id, group, split, text and label. Of preferences, the text is the prompt, the two
    completions follow, and the label is the index of the preferred one; of a generation it is
    prompt and target. The ids are what a file of your own weak labels refers to.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

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
    data: DataFlags = field(default_factory=DataFlags)

    def __call__(self) -> None:
        """Write the file."""
        import json

        from weak2strong.ground.disks import writing
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.ground.whole import write_whole
        from weak2strong.tasks.find import find_tasks
        from weak2strong.tasks.readers import ACCEPTED, LABEL, PROMPT, TARGETS, TEXT
        from weak2strong.tasks.splits import SPLITS, make_splits

        load_plugins(self.plugin)
        (task,) = find_tasks((self.task,), data_options(self.data))
        splits = make_splits(task.about(self.entities))
        # As they would be read again.
        columns = {"generation": (PROMPT, TARGETS[0])}
        text, label = columns.get(task.kind, (TEXT, LABEL))
        lines = list[str]()
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
                lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        with writing(self.out, "choose another --out"):
            write_whole(self.out, "".join(lines))
        tell(f"{len(lines):,} examples written to {self.out}")
