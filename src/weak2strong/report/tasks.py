"""All tasks that there are, as tables."""

from __future__ import annotations

from weak2strong.ground.table import Document, Table, count, words
from weak2strong.subjects.chess.puzzle_task import PUZZLES
from weak2strong.subjects.literature import DATASETS
from weak2strong.tasks import GROUPS, TASKS
from weak2strong.tasks.splits import SPLITS, make_splits


def tasks_document() -> Document:
    """The tasks with their sizes, sources and licences; the datasets and groups by name."""
    notes = [
        f"{PUZZLES}=FILE.csv is a file of chess puzzles as Lichess publishes it.",
        *(
            f"{group} stands for {len(names)} of them: {', '.join(names)}."
            for group, names in GROUPS.items()
        ),
    ]
    return Document([_tasks(), _datasets()], {"groups": dict(GROUPS)}, notes=notes)


def _tasks() -> Table:
    """A row a task; sources that several tasks share are told beneath."""
    rows, by_source = [], dict[str, list[str]]()
    for name in TASKS:
        task = TASKS.get(name)
        splits = make_splits(task)
        sizes = {split: len(splits.examples(split)) for split in SPLITS}
        about = {"task": name, "kind": task.kind, "question": task.summary, **sizes}
        rows.append(about | {"licence": task.licence, "source": task.source})
        by_source.setdefault(task.source, []).append(name)
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


def _datasets() -> Table:
    """A row a dataset of the literature."""
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
        for d in map(DATASETS.get, DATASETS)
    ]
    title = "Datasets of the literature, read from the hub (or NAME=FOLDER) when they are used:"
    return Table("datasets", title, columns, rows)
