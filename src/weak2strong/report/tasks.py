"""All tasks that there are, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from weak2strong.ground.table import Document, Table, count, words
from weak2strong.tasks import GROUPS, SOURCES, TASKS
from weak2strong.tasks.source import Source
from weak2strong.tasks.splits import SPLITS, make_splits


def tasks_document() -> Document:
    """The tasks with their sizes, sources and licences; the datasets and groups by name."""
    sources = [SOURCES.get(name) for name in SOURCES]
    groups = {name: GROUPS.get(name) for name in GROUPS}
    notes = [
        *(source.line for source in sources if not source.repo),
        *(
            f"{group} stands for {len(names)} of them: {', '.join(names)}."
            for group, names in groups.items()
        ),
    ]
    datasets = _datasets([source for source in sources if source.repo])
    return Document([_tasks(), datasets], {"groups": groups}, notes=notes)


def _tasks() -> Table:
    """A row a task; sources that several tasks share are told beneath."""
    rows, by_source = [], dict[str, list[str]]()
    # Preferences come last.
    for task in sorted(map(TASKS.get, TASKS), key=lambda task: task.kind == "preference"):
        splits = make_splits(task)
        sizes = {split: len(splits.examples(split)) for split in SPLITS}
        about = {"task": task.name, "kind": task.kind, "question": task.summary, **sizes}
        rows.append(about | {"licence": task.licence, "source": task.source})
        by_source.setdefault(task.source, []).append(task.name)
    notes = [
        f"{names[0]}{f' to {names[-1]}' if len(names) > 1 else ''}: {source}."
        for source, names in by_source.items()
        if source
    ]
    columns = [
        words("task"),
        words("question", wraps=True),
        *(count(split, split, detail=True) for split in SPLITS),
        words("licence", detail=True),
    ]
    return Table("tasks", "", columns, rows, notes)


def _datasets(sources: Sequence[Source]) -> Table:
    """A row a dataset of the hub."""
    columns = [
        words("task"),
        words("question", wraps=True),
        count("rows", detail=True),
        words("repository", detail=True),
        words("licence", detail=True),
    ]
    rows = [
        {
            "task": d.name,
            "question": d.question,
            "rows": d.rows or None,
            "repository": d.repo,
            "licence": d.licence,
        }
        for d in sources
    ]
    title = "Datasets of the literature, read from the hub (or NAME=FOLDER) when they are used:"
    return Table("datasets", title, columns, rows)
